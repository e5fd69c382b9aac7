// The ledger's exposure: known vulnerabilities whose fixed code each sandbox exercised.
import { cell_figure } from "../cells";
import { h, segments, visible } from "../dom";
import { Cell as CsvCell } from "../csv";
import { Drawing, Figure as Frame, base_option, category_axis, number_table, value_axis } from "../figure";
import * as format from "../format";
import { Page, as_list, as_number, as_records, as_text, is_record } from "../model";
import { Theme } from "../theme";

type Kind = [key: string, title: string, in_light: string, in_dark: string];

// Of the records whose code was exercised: what they are in the measured kernel's version.
const by_version: Kind[] = [
  ["open", "open in this kernel version", "#a33b1f", "#e07b4f"],
  ["open_or_fixed_unknown", "unknown whether open", "#c99a4e", "#c99a4e"],
  ["fixed_before", "fixed before it", "#8fa3b5", "#5f7486"],
  ["never_affected", "never affected", "#c6ced6", "#454d56"],
];
// Of all records of the kernel: where their code is.
const by_reach: Kind[] = [
  ["exercised", "exercised", "#a33b1f", "#e07b4f"],
  ["present", "in the build, not exercised", "#8fa3b5", "#5f7486"],
  ["absent", "not in this kernel build", "#c6ced6", "#454d56"],
  ["unknown", "place unknown", "#c99a4e", "#c99a4e"],
];
const views: Record<string, { title: string; kinds: Kind[] }> = {
  version: { title: "Exercised, by version", kinds: by_version },
  reach: { title: "All, by place", kinds: by_reach },
};
const others = ["exercised_by_function", "weighted", "ruled_out", "meets"];

type Counts = Record<string, number | null>;

function counts_of(page: Page, recording: number): Counts | null {
  const exposure = page.reports[recording].exposure;
  const from = is_record(exposure) && is_record(exposure.counts) ? exposure.counts : null;
  if (from === null) return null;
  return Object.fromEntries([...by_version.map(([kind]) => kind), ...by_reach.map(([kind]) => kind), ...others].map((kind) => [kind, as_number(from[kind])]));
}

export function has_exposure(page: Page): boolean {
  return page.reports.some((report) => is_record(report.exposure)) || page.cells.some((cell) => cell_figure(page, cell, "hap", "known_cves").figure !== null);
}

export function exposure(page: Page): Frame {
  let view = "version";
  // The last recording of a cell stands for it: its repeats exercise nearly the same code.
  const counts = page.cells.map((cell) => cell.reports.map((index) => counts_of(page, index)).filter((one) => one !== null).pop() ?? null);
  const detailed = counts.some((one) => one !== null);
  const totals = page.cells.map((cell) => cell_figure(page, cell, "hap", "known_cves"));

  const draw = (theme: Theme): Drawing => {
    const kinds = views[view].kinds;
    const shown = [...page.cells.keys()].reverse();
    const series = detailed
      ? kinds.map(([kind, title, in_light, in_dark]) => ({
        type: "bar", stack: "records", name: title, barMaxWidth: 22, itemStyle: { color: theme.dark ? in_dark : in_light },
        data: shown.map((c) => ({ value: counts[c]?.[kind] ?? "-", cell: c, kind: title })),
      }))
      : [{ type: "bar", name: "records", barMaxWidth: 22, itemStyle: { color: theme.dark ? by_version[0][3] : by_version[0][2] }, label: { show: true, position: "right", color: theme.ink, formatter: (p: any) => format.number(p.value) },
        data: shown.map((c) => ({ value: totals[c].figure?.value ?? "-", cell: c, kind: "records" })) }];
    const unknowns = page.cells.filter((_, c) => (detailed ? counts[c] === null : totals[c].figure === null)).map((cell) => cell.label);
    return {
      option: unknowns.length === page.cells.length ? null : {
        ...base_option(theme),
        legend: detailed ? { top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 16, textStyle: { color: theme.ink } } : undefined,
        grid: { left: 8, right: 60, top: detailed ? 42 : 10, bottom: 34, containLabel: true },
        yAxis: category_axis(theme, shown.map((c) => page.cells[c].label)),
        xAxis: { ...value_axis(theme, "records", format.short), nameLocation: "middle", nameGap: 28, minInterval: 1 },
        series,
      },
      height: Math.max(140, 86 + 32 * page.cells.length),
      header: ["sandbox", "workload", "known_cves", "low", "high", ...by_version.map(([kind]) => kind), ...by_reach.map(([kind]) => kind), ...others],
      rows: page.cells.map((cell, c): CsvCell[] => [cell.sandbox, cell.workload, totals[c].figure?.value ?? null, totals[c].figure?.low ?? null, totals[c].figure?.high ?? null,
        ...[...by_version, ...by_reach].map(([kind]) => counts[c]?.[kind] ?? null), ...others.map((kind) => counts[c]?.[kind] ?? null)]),
      summary: page.cells.map((cell, c) => `${visible(cell.label)}: ${format.number(detailed ? counts[c]?.exercised : totals[c].figure?.value)}`).join("; ") + " records.",
      note: [
        "Ledger records whose fixed code was executed by the sandbox; by function where the fix is known that well, by file otherwise. ",
        detailed ? fewest(page, counts) : "The reports do not say which of them are open in the measured kernel: see hap ledger exposure. ",
        ...warnings_of(page).map((warning) => h("span", { class: "gap" }, `${visible(warning)}. `)),
        unknowns.length > 0 && h("span", { class: "gap" }, `Unknown, and not drawn: ${visible(unknowns.join("; "))}.`),
      ],
      tip: (event) => event.data?.cell === undefined ? null : tip_of(page, event.data, counts, format.range(totals[event.data.cell].figure)),
    };
  };
  const frame: Frame = new Frame("ledger", "Known vulnerabilities in the exercised code", [], draw, [
    detailed && segments("Records", Object.entries(views).map(([key, value]) => [key, value.title]), view, (key) => { view = key; frame.refresh(); }),
  ]);
  return frame;
}

function tip_of(page: Page, bar: { cell: number; kind: string; value: unknown }, counts: (Counts | null)[], range: string | null): [string, string][] {
  const known = counts[bar.cell];
  const tip: [string, string][] = [[page.cells[bar.cell].label, ""], [bar.kind, format.number(as_number(bar.value))]];
  if (known === null) return [...tip, ["interval", range ?? "none"]];
  return [...tip, ["exercised, ruled out by the sandbox", format.number(known.ruled_out)], ["met: exercised, not ruled out, open or unknown", format.number(known.meets)]];
}

function fewest(page: Page, counts: (Counts | null)[]): string {
  const known = page.cells.map((cell, c) => ({ label: cell.label, meets: counts[c]?.meets ?? null })).filter((one): one is { label: string; meets: number } => one.meets !== null);
  if (known.length < 2) return known.length === 1 ? `Met (exercised, not ruled out by the sandbox, open or unknown): ${format.number(known[0].meets)}. ` : "";
  const least = Math.min(...known.map((one) => one.meets));
  return `Fewest are met (exercised, not ruled out by the sandbox, open or unknown) by ${visible(known.filter((one) => one.meets === least).map((one) => one.label).join("; "), 200)}: ${format.number(least)}. `;
}

// What the exposures warn of, each warning once.
function warnings_of(page: Page): string[] {
  const all = new Set<string>();
  for (const report of page.reports) {
    for (const warning of is_record(report.exposure) ? as_list(report.exposure.warnings) : []) {
      const text = as_text(warning);
      if (text !== null) all.add(text);
    }
  }
  return [...all].slice(0, 8);
}

// The records themselves, those met by most cells first.
export function record_table(page: Page): HTMLElement | null {
  const records = new Map<string, { where: Set<string>; cells: string[]; row: Record<string, unknown> }>();
  for (const cell of page.cells) {
    const report = page.reports[cell.reports[cell.reports.length - 1]];
    if (!is_record(report.exposure)) continue;
    for (const record of as_records(report.exposure.records)) {
      const id = as_text(record.id) ?? "unknown";
      const entry = records.get(id) ?? { where: new Set(), cells: [], row: record };
      records.set(id, entry);
      entry.cells.push(cell.sandbox);
      for (const place of as_list(record.where)) entry.where.add(String(place));
    }
  }
  if (records.size === 0) return null;
  const most = 300;
  const open_first = (row: Record<string, unknown>): number => (row.version_status === "open" ? 0 : row.version_status === "unknown" ? 1 : 2) + (as_text(row.ruled_out) === null ? 0 : 3);
  const rows = [...records].sort((a, b) => open_first(a[1].row) - open_first(b[1].row) || b[1].cells.length - a[1].cells.length || (a[0] < b[0] ? 1 : -1)).slice(0, most)
    .map(([id, { where, cells, row }]): CsvCell[] => [id, as_text(row.title) ?? "", [...new Set(cells)].join(", "), as_text(row.version_status), as_text(row.ruled_out) ?? "", [...where].slice(0, 4).join(", ")]);
  return h("details", { class: "numbers", id: "exposed-records" }, h("summary", {}, `Records (${Math.min(most, records.size)} of ${records.size})`),
    number_table(["record", "title", "exercised by", "in this kernel", "withheld by the sandbox", "where"], rows));
}
