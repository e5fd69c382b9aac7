// How complete a recording is: distinct functions against windows, the steady state, and what is estimated unseen.
import { choice, h } from "../dom";
import { Drawing, Figure as Frame, base_option, value_axis } from "../figure";
import * as format from "../format";
import { Page, Report, as_figure, as_list, as_number, as_text, is_record } from "../model";
import { recording_choices } from "../recordings";
import { Theme } from "../theme";

interface Curve {
  points: [number, number][];
  seen: number | null;
  unseen: ReturnType<typeof as_figure>;
  steady: boolean | null;
  steady_at: number | null;
  coverage: number | null;
  warnings: string[];
}

export function curve_of(report: Report): Curve {
  const from = is_record(report.completeness) ? report.completeness : {};
  const points: [number, number][] = [];
  as_list(from.accumulation).forEach((entry, at) => {
    const y = is_record(entry) ? as_number(entry.functions ?? entry.seen ?? entry.value) : as_number(entry);
    const x = is_record(entry) ? as_number(entry.window ?? entry.windows) ?? at + 1 : at + 1;
    if (y !== null) points.push([x, y]);
  });
  return {
    points,
    seen: as_number(from.seen) ?? (points.length > 0 ? points[points.length - 1][1] : null),
    unseen: as_figure(from.unseen_functions),
    steady: typeof from.steady_state === "boolean" ? from.steady_state : null,
    steady_at: as_number(from.steady_window),
    coverage: as_number(from.coverage),
    warnings: as_list(from.warnings).map((one) => as_text(one) ?? "").filter((one) => one !== ""),
  };
}

export function verdict(curve: Curve): string {
  if (curve.steady === null) return "steady state: unknown";
  return curve.steady ? "steady state reached" : "steady state not reached";
}

export function accumulation(page: Page): Frame {
  const choices = recording_choices(page);
  let recording = 0;
  const draw = (theme: Theme): Drawing => {
    const curve = curve_of(page.reports[recording]);
    const last = curve.points[curve.points.length - 1];
    const bound = curve.unseen !== null && last ? { low: last[1] + (curve.unseen.low ?? curve.unseen.value), middle: last[1] + curve.unseen.value, high: last[1] + (curve.unseen.high ?? curve.unseen.value) } : null;
    const top = bound?.high ?? last?.[1] ?? 1;
    const bottom = curve.points[0]?.[1] ?? 0;
    // Where the report does not name the window: when 99 % of what was seen and is estimated unseen had been seen.
    const enough = curve.steady === true && bound !== null ? curve.points.find((point) => point[1] >= 0.99 * bound.middle)?.[0] ?? null : null;
    const at = curve.steady_at ?? enough;
    const marks = at === null ? [] : [{ xAxis: at, label: { formatter: curve.steady_at === null ? "99 % seen" : "steady state", position: "insideEndTop", color: theme.accent }, lineStyle: { color: theme.accent, type: "dashed", width: 1.2 } }];
    return {
      option: curve.points.length < 2 ? null : {
        ...base_option(theme),
        grid: { left: 8, right: 30, top: 30, bottom: 34, containLabel: true },
        xAxis: { ...value_axis(theme, "windows", format.short), nameLocation: "middle", nameGap: 26, min: curve.points[0][0], max: last[0], minInterval: 1, splitLine: { show: false } },
        yAxis: { ...value_axis(theme, "functions", format.short), min: Math.max(0, Math.floor(bottom - 0.15 * (top - bottom))), max: Math.ceil(top + 0.08 * (top - bottom)) },
        series: [{
          type: "line", data: curve.points, showSymbol: true, symbolSize: curve.points.length > 60 ? 3 : 5, lineStyle: { color: theme.accent, width: 2 }, itemStyle: { color: theme.accent },
          markArea: bound === null ? undefined : {
            silent: true, itemStyle: { color: theme.warn, opacity: 0.13 },
            data: [[{ yAxis: bound.low, name: "seen and estimated unseen, 95 %" , label: { color: theme.warn, position: "insideTopLeft", fontSize: 11.5 } }, { yAxis: bound.high }]],
          },
          markLine: { symbol: "none", silent: true, data: marks },
        }],
      },
      height: 340,
      header: ["window", "functions"],
      rows: curve.points,
      summary: `${format.number(last?.[1] ?? null)} functions after ${format.number(last?.[0] ?? null)} windows; ${verdict(curve)}.`,
      note: [
        h("strong", {}, verdict(curve)), `; coverage ${format.percent(curve.coverage)}; estimated unseen functions ${format.estimate(curve.unseen)}. `,
        curve.points.length < 2 && h("span", { class: "gap" }, "The accumulation curve is unknown: too few windows, or a report without it. "),
        ...curve.warnings.map((warning) => h("span", { class: "gap" }, `${warning}. `)),
      ],
      tip: (event) => Array.isArray(event.data) ? [[`window ${format.number(event.data[0])}`, ""], ["functions", format.number(event.data[1])]] : null,
    };
  };
  const frame: Frame = new Frame("completeness", "How complete the view is", [], draw, [
    choices.length > 1 && choice("Recording", choices, "0", (key) => { recording = Number(key); frame.refresh(); }),
  ]);
  return frame;
}
