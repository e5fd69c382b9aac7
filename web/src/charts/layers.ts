// Whose code it is: the layers of each cell, stacked; and the two stages of an escape.
import { cell_figure } from "../cells";
import { h, segments, visible } from "../dom";
import { Drawing, Figure as Frame, base_option, category_axis, value_axis } from "../figure";
import * as format from "../format";
import { Cell, Page, as_figure, as_records, as_text, entry, layer_titles, metrics } from "../model";
import { Theme, layer_color } from "../theme";

const order = Object.keys(layer_titles);
const layer_metrics = ["functions", "function_lines", "executed_lines", "code_bytes"];

// Mean over the cell's recordings of a layer's figure; null when no recording knows it, 0 when the recordings list
// their layers and this one is not among them.
function layer_value(page: Page, cell: Cell, layer: string, metric: string): number | null {
  let sum = 0;
  let known = 0;
  for (const index of cell.reports) {
    const layers = as_records(page.reports[index].layers);
    if (layers.length === 0) continue;
    const row = layers.find((one) => one.name === layer);
    const figure = row ? as_figure(row[metric]) : { value: 0, low: null, high: null };
    if (figure === null) continue;
    sum += figure.value;
    ++known;
  }
  return known === 0 ? null : sum / known;
}

function layer_names(page: Page): string[] {
  const seen = new Set<string>();
  for (const report of page.reports) for (const layer of as_records(report.layers)) seen.add(as_text(layer.name) ?? "unknown");
  return [...order.filter((name) => seen.has(name)), ...[...seen].filter((name) => !order.includes(name))];
}

export function layers(page: Page): Frame {
  let metric = "functions";
  const names = layer_names(page);
  const draw = (theme: Theme): Drawing => {
    const values = page.cells.map((cell) => names.map((layer) => layer_value(page, cell, layer, metric)));
    const unknowns: string[] = [];
    values.forEach((row, c) => row.forEach((value, l) => { if (value === null) unknowns.push(`${entry(layer_titles, names[l]) ?? names[l]} of ${page.cells[c].label}`); }));
    const shown = [...page.cells.keys()].reverse();
    return {
      option: names.length === 0 ? null : {
        ...base_option(theme),
        legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 16, textStyle: { color: theme.ink } },
        grid: { left: 8, right: 24, top: 44, bottom: 34, containLabel: true },
        yAxis: category_axis(theme, shown.map((c) => page.cells[c].label)),
        xAxis: { ...value_axis(theme, metrics[metric].unit, format.short), nameLocation: "middle", nameGap: 28 },
        series: names.map((layer, l) => ({
          type: "bar", stack: "layers", name: visible(entry(layer_titles, layer) ?? layer, 60), barMaxWidth: 24,
          itemStyle: { color: layer_color(layer, theme), borderColor: theme.surface, borderWidth: 0.5 },
          data: shown.map((c) => ({ value: values[c][l] ?? "-", layer, cell: c })),
        })),
      },
      height: Math.max(150, 90 + 30 * page.cells.length),
      header: ["sandbox", "workload", "layer", "metric", "value"],
      rows: page.cells.flatMap((cell, c) => names.map((layer, l) => [cell.sandbox, cell.workload, layer, metric, values[c][l]])),
      summary: `${metrics[metric].title} by layer for ${page.cells.length} cells.`,
      note: [
        "The VAP is the whole bar; the host kernel and the hypervisor, in red, are where a compromise crosses to others. ",
        unknowns.length > 0 && h("span", { class: "gap" }, `Unknown, and not drawn: ${visible(unknowns.slice(0, 12).join("; "))}${unknowns.length > 12 ? ` and ${unknowns.length - 12} more` : ""}.`),
      ],
      tip: (event) => event.data?.layer === undefined ? null : [
        [page.cells[event.data.cell].label, ""],
        [entry(layer_titles, event.data.layer) ?? event.data.layer, `${format.number(values[event.data.cell][names.indexOf(event.data.layer)])} ${metrics[metric].unit}`],
      ],
    };
  };
  const frame: Frame = new Frame("layers", "Whose code it is", [], draw, [
    segments("Metric", layer_metrics.map((key) => [key, metrics[key].title]), metric, (key) => { metric = key; frame.refresh(); }),
  ]);
  return frame;
}

export function stages(page: Page): Frame {
  let metric = "functions";
  const kinds: [string, string][] = [["stage1", "stage 1: tenant to its monitor or Sentry"], ["stage2", "stage 2: that to the host"]];
  const draw = (theme: Theme): Drawing => {
    const values = page.cells.map((cell) => kinds.map(([stage]) => cell_figure(page, cell, stage, metric)));
    const unknowns = values.flatMap((row, c) => row.flatMap((value, k) => value.figure === null ? [`${kinds[k][0] === "stage1" ? "stage 1" : "stage 2"} of ${page.cells[c].label}${value.why ? ` (${value.why})` : ""}`] : []));
    const shown = [...page.cells.keys()].reverse();
    const colors = [theme.dark ? "#7fa69a" : "#4f8476", layer_color("host-kernel", theme)];
    return {
      option: unknowns.length === 2 * page.cells.length ? null : {
        ...base_option(theme),
        legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: theme.ink } },
        grid: { left: 8, right: 60, top: 40, bottom: 34, containLabel: true },
        yAxis: category_axis(theme, shown.map((c) => page.cells[c].label)),
        xAxis: { ...value_axis(theme, metrics[metric].unit, format.short), nameLocation: "middle", nameGap: 28 },
        series: kinds.map(([, title], k) => ({
          type: "bar", name: title, barMaxWidth: 14, itemStyle: { color: colors[k] },
          label: { show: page.cells.length <= 16, position: "right", color: theme.muted, formatter: (p: any) => format.number(p.value) },
          data: shown.map((c) => ({ value: values[c][k].figure?.value ?? "-", stage: k, cell: c })),
        })),
      },
      height: Math.max(150, 80 + 40 * page.cells.length),
      header: ["sandbox", "workload", "stage", "metric", "value", "low", "high"],
      rows: page.cells.flatMap((cell, c) => kinds.map(([stage], k) => {
        const figure = values[c][k].figure;
        return [cell.sandbox, cell.workload, stage, metric, figure?.value ?? null, figure?.low ?? null, figure?.high ?? null];
      })),
      summary: `${metrics[metric].title} of the two stages for ${page.cells.length} cells.`,
      note: [
        "An escape needs both stages. A container has no first: its tenant already speaks to the host's kernel. ",
        unknowns.length > 0 && h("span", { class: "gap" }, `Unknown or without meaning here: ${visible(unknowns.slice(0, 12).join("; "))}${unknowns.length > 12 ? ` and ${unknowns.length - 12} more` : ""}.`),
      ],
      tip: (event) => event.data?.stage === undefined ? null : [
        [page.cells[event.data.cell].label, ""], [kinds[event.data.stage][1], format.estimate(values[event.data.cell][event.data.stage].figure)],
      ],
    };
  };
  const frame: Frame = new Frame("stages", "Two stages to the host", [], draw, [
    segments("Metric", layer_metrics.map((key) => [key, metrics[key].title]), metric, (key) => { metric = key; frame.refresh(); }),
  ]);
  return frame;
}
