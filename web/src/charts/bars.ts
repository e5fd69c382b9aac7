// Grouped bars with error bars: one metric of one profile, sandbox by workload.
import { cell_figure } from "../cells";
import { h, segments, visible } from "../dom";
import { Drawing, Figure as Frame, Tip, base_option, category_axis, value_axis } from "../figure";
import * as format from "../format";
import { Figure, Page, as_text, metrics, profiles } from "../model";
import { Theme, sandbox_colors } from "../theme";

interface Bar {
  sandbox: string;
  workload: string;
  figure: Figure;
  known: number;
  recordings: number;
  why: string | null;
  compared: boolean;
}

export function bars(page: Page): Frame {
  let profile = "hap";
  let metric = page.cells.some((c) => cell_figure(page, c, "hap", "executed_lines").figure !== null) ? "executed_lines" : "functions";
  const known = (key: string) => page.cells.some((cell) => Object.keys(metrics).some((one) => cell_figure(page, cell, key, one).figure !== null));
  const sandboxes = [...new Set(page.cells.map((cell) => cell.sandbox))];
  const workloads = [...new Set(page.cells.map((cell) => cell.workload))];

  const draw = (theme: Theme): Drawing => {
    const all: Bar[] = page.cells.map((cell) => ({ sandbox: cell.sandbox, workload: cell.workload, ...cell_figure(page, cell, profile, metric) }));
    const { title, unit, says } = metrics[metric];
    const missing = all.filter((bar) => bar.figure === null);
    const option = workloads.length > 1 ? grouped(all, sandboxes, workloads, theme, unit) : ranked(all, theme, unit);
    const repeats = Math.max(...all.map((bar) => bar.recordings));
    return {
      option: all.length === missing.length ? null : option,
      height: workloads.length > 1 ? 420 : Math.max(150, 70 + 44 * all.length),
      header: ["sandbox", "workload", "profile", "metric", "unit", "value", "low", "high", "recordings"],
      rows: all.map((bar) => [bar.sandbox, bar.workload, profile, metric, unit, bar.figure?.value ?? null, bar.figure?.low ?? null, bar.figure?.high ?? null, bar.recordings]),
      summary: `${title} of the ${profiles[profile].title}: ${says}. ${all.length - missing.length} of ${all.length} known.`,
      note: [
        `${profiles[profile].title}: ${profiles[profile].says}. ${title}: ${says}. `,
        metric === "expected_bugs" ? `Density model: ${visible(as_text(page.reports[0]?.expected_bugs_model) ?? "unknown")}. ` : "",
        all.some((bar) => bar.compared) ? "The whisker is the 95 % interval of the mean over boots and repeats, widened by what losses and unseen code leave open." :
          repeats > 1 ? "A bar is the mean of its recordings; the whisker runs from the smallest low to the largest high among them." : "The whisker is the interval that losses and unseen code leave open.",
        missing.length > 0 && h("span", { class: "gap" }, ` Unknown, and not drawn: ${missing.map((bar) => visible(`${bar.sandbox}, ${bar.workload}${bar.why ? ` (${bar.why})` : ""}`)).join("; ")}.`),
      ],
      tip: (event) => tip_of(event.data?.bar, unit),
    };
  };

  const frame: Frame = new Frame("profile", "How much code is exposed", [], draw, [
    segments("Profile", Object.entries(profiles).filter(([key]) => key === "hap" || known(key)).map(([key, value]) => [key, value.title]), profile, (key) => { profile = key; frame.refresh(); }),
    segments("Metric", Object.entries(metrics).map(([key, value]) => [key, value.title]), metric, (key) => { metric = key; frame.refresh(); }),
  ]);
  return frame;
}

function tip_of(bar: Bar | undefined, unit: string): Tip | null {
  if (!bar) return null;
  const tip: Tip = [[`${bar.sandbox}, ${bar.workload}`, ""], [unit, format.number(bar.figure?.value)]];
  const range = format.range(bar.figure);
  if (range) tip.push(["interval", range]);
  tip.push(["recordings", String(bar.recordings)]);
  return tip;
}

const whisker_style = (theme: Theme) => ({ stroke: theme.ink, lineWidth: 1.4, fill: "none" });

function grouped(all: Bar[], sandboxes: string[], workloads: string[], theme: Theme, unit: string): Record<string, unknown> {
  const colors = sandbox_colors(sandboxes, theme);
  const find = (sandbox: string, workload: string) => all.find((bar) => bar.sandbox === sandbox && bar.workload === workload);
  const series: unknown[] = sandboxes.map((sandbox) => ({
    type: "bar", name: visible(sandbox, 60), barMaxWidth: 42, barGap: "8%", barCategoryGap: "26%", itemStyle: { color: colors.get(sandbox), borderRadius: [2, 2, 0, 0] },
    data: workloads.map((workload) => {
      const bar = find(sandbox, workload);
      return { value: bar?.figure?.value ?? "-", bar };
    }),
  }));
  sandboxes.forEach((sandbox, nth) => {
    series.push({
      type: "custom", name: visible(sandbox, 60), silent: true, z: 5,
      data: workloads.map((workload, at) => {
        const figure = find(sandbox, workload)?.figure;
        return [at, figure?.low ?? NaN, figure?.high ?? NaN];
      }),
      renderItem: (_: unknown, api: any) => {
        if (Number.isNaN(api.value(1)) || Number.isNaN(api.value(2))) return;
        const place = api.barLayout({ barMaxWidth: 42, barGap: "8%", barCategoryGap: "26%", count: sandboxes.length })[nth];
        const [x, low] = api.coord([api.value(0), api.value(1)]);
        const [, high] = api.coord([api.value(0), api.value(2)]);
        return whisker(x + place.offsetCenter, low, high, Math.min(7, place.width / 3), false, theme);
      },
      encode: { x: 0, y: [1, 2] },
    });
  });
  return {
    ...base_option(theme),
    legend: { data: sandboxes.map((sandbox) => visible(sandbox, 60)), top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 16, textStyle: { color: theme.ink } },
    grid: { left: 8, right: 8, top: 64, bottom: 8, containLabel: true },
    xAxis: category_axis(theme, workloads),
    yAxis: value_axis(theme, unit, format.short),
    series,
  };
}

// One workload only: horizontal bars, least code first, each with its number.
function ranked(all: Bar[], theme: Theme, unit: string): Record<string, unknown> {
  const known = all.filter((bar) => bar.figure !== null).sort((a, b) => b.figure!.value - a.figure!.value);
  const colors = sandbox_colors(all.map((bar) => bar.sandbox), theme);
  return {
    ...base_option(theme),
    grid: { left: 8, right: 150, top: 8, bottom: 34, containLabel: true },
    yAxis: category_axis(theme, known.map((bar) => bar.sandbox)),
    xAxis: { ...value_axis(theme, unit, format.short), nameLocation: "middle", nameGap: 28 },
    series: [
      {
        type: "bar", barMaxWidth: 24,
        data: known.map((bar) => ({ value: bar.figure!.value, bar, itemStyle: { color: colors.get(bar.sandbox), borderRadius: [0, 2, 2, 0] } })),
      },
      {
        type: "custom", silent: true, z: 5, encode: { x: [1, 2, 3], y: 0 },
        data: known.map((bar, at) => [at, bar.figure!.low ?? NaN, bar.figure!.high ?? NaN, bar.figure!.value]),
        renderItem: (_: unknown, api: any) => {
          const at = api.value(0);
          const end = Math.max(api.value(3), Number.isNaN(api.value(2)) ? 0 : api.value(2));
          const [x, y] = api.coord([end, at]);
          const children: unknown[] = [{ type: "text", style: { x: x + 10, y, text: format.number(api.value(3)), fill: theme.ink, verticalAlign: "middle", fontWeight: 600, fontSize: 12.5 } }];
          if (!Number.isNaN(api.value(1)) && !Number.isNaN(api.value(2))) {
            children.push(whisker(y, api.coord([api.value(1), at])[0], api.coord([api.value(2), at])[0], 6, true, theme));
          }
          return { type: "group", children };
        },
      },
    ],
  };
}

function whisker(across: number, low: number, high: number, half: number, horizontal: boolean, theme: Theme): unknown {
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
    type: "line", shape: horizontal ? { x1: y1, y1: x1, x2: y2, y2: x2 } : { x1, y1, x2, y2 }, style: whisker_style(theme),
  });
  return { type: "group", children: [line(across, low, across, high), line(across - half, low, across + half, low), line(across - half, high, across + half, high)] };
}
