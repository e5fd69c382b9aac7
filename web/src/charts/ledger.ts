// The ledger's exposure: known vulnerabilities whose fixed code each sandbox exercised.
import { cell_figure } from "../cells";
import { h, visible } from "../dom";
import { Cell as CsvCell } from "../csv";
import { Drawing, Figure as Frame, base_option, category_axis, number_table, value_axis } from "../figure";
import * as format from "../format";
import { Page, as_list, as_number, as_records, as_text, is_record } from "../model";
import { Theme } from "../theme";

const kinds: [string, string, string, string][] = [
  ["open", "open in this kernel version", "#a33b1f", "#e07b4f"],
  ["openness_unknown", "unknown whether open", "#c99a4e", "#c99a4e"],
  ["fixed_before", "fixed before it", "#8fa3b5", "#5f7486"],
  ["never_affected", "never affected", "#c6ced6", "#454d56"],
];

interface Counts {
  [kind: string]: number | null;
}

function counts_of(page: Page, recording: number): Counts | null {
  const exposure = page.reports[recording].exposure;
  const from = is_record(exposure) ? (is_record(exposure.dated) ? exposure.dated : exposure) : null;
  if (from === null) return null;
  return Object.fromEntries([...kinds.map(([kind]) => kind), "exercised", "ruled_out", "meets"].map((kind) => [kind, as_number(from[kind])]));
}

export function has_exposure(page: Page): boolean {
  return page.reports.some((report) => is_record(report.exposure)) || page.cells.some((cell) => cell_figure(page, cell, "hap", "known_cves").figure !== null);
}

export function exposure(page: Page): Frame {
  const draw = (theme: Theme): Drawing => {
    // The last recording of a cell stands for it: its repeats exercise nearly the same code.
    const counts = page.cells.map((cell) => cell.reports.map((index) => counts_of(page, index)).filter((one) => one !== null).pop() ?? null);
    const detailed = counts.some((one) => one !== null);
    const totals = page.cells.map((cell) => cell_figure(page, cell, "hap", "known_cves"));
    const shown = [...page.cells.keys()].reverse();
    const series = detailed
      ? kinds.map(([kind, title, in_light, in_dark]) => ({
        type: "bar", stack: "records", name: title, barMaxWidth: 22, itemStyle: { color: theme.dark ? in_dark : in_light },
        data: shown.map((c) => ({ value: counts[c]?.[kind] ?? "-", cell: c, kind: title })),
      }))
      : [{ type: "bar", name: "records", barMaxWidth: 22, itemStyle: { color: theme.dark ? kinds[0][3] : kinds[0][2] }, label: { show: true, position: "right", color: theme.ink, formatter: (p: any) => format.number(p.value) },
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
      header: ["sandbox", "workload", "known_cves", "low", "high", ...kinds.map(([kind]) => kind), "ruled_out", "meets"],
      rows: page.cells.map((cell, c): CsvCell[] => [cell.sandbox, cell.workload, totals[c].figure?.value ?? null, totals[c].figure?.low ?? null, totals[c].figure?.high ?? null,
        ...kinds.map(([kind]) => counts[c]?.[kind] ?? null), counts[c]?.ruled_out ?? null, counts[c]?.meets ?? null]),
      summary: page.cells.map((cell, c) => `${visible(cell.label)}: ${format.number(detailed ? counts[c]?.exercised : totals[c].figure?.value)}`).join("; ") + " records.",
      note: [
        "Ledger records whose fixed code was executed by the sandbox; by function where the fix is known that well, by file otherwise. ",
        detailed ? "" : "The reports do not say which of them are open in the measured kernel: see hap ledger exposure. ",
        unknowns.length > 0 && h("span", { class: "gap" }, `Unknown, and not drawn: ${visible(unknowns.join("; "))}.`),
      ],
      tip: (event) => event.data?.cell === undefined ? null : [[page.cells[event.data.cell].label, ""], [event.data.kind, format.number(as_number(event.data.value))],
        ...(counts[event.data.cell] ? [["ruled out by the sandbox", format.number(counts[event.data.cell]?.ruled_out)] as [string, string]] : [["interval", format.range(totals[event.data.cell].figure) ?? "none"] as [string, string]])],
    };
  };
  return new Frame("ledger", "Known vulnerabilities in the exercised code", [], draw);
}

// The records themselves, those met by most cells first.
export function record_table(page: Page): HTMLElement | null {
  const records = new Map<string, { where: Set<string>; cells: string[]; row: Record<string, unknown> }>();
  for (const cell of page.cells) {
    const report = page.reports[cell.reports[cell.reports.length - 1]];
    if (!is_record(report.exposure)) continue;
    for (const record of as_records(report.exposure.records)) {
      if (record.reach !== undefined && record.reach !== "exercised") continue;
      const id = as_text(record.id) ?? "unknown";
      const entry = records.get(id) ?? { where: new Set(), cells: [], row: record };
      records.set(id, entry);
      entry.cells.push(cell.sandbox);
      for (const place of as_list(record.where)) entry.where.add(String(place));
    }
  }
  if (records.size === 0) return null;
  const most = 300;
  const rows = [...records].sort((a, b) => b[1].cells.length - a[1].cells.length || (a[0] < b[0] ? 1 : -1)).slice(0, most)
    .map(([id, { where, cells, row }]): CsvCell[] => [id, [...new Set(cells)].join(", "), as_text(row.openness), as_text(row.ruled_out) ?? "", [...where].slice(0, 4).join(", ")]);
  return h("details", { class: "numbers" }, h("summary", {}, `Records (${Math.min(most, records.size)} of ${records.size})`), number_table(["record", "exercised by", "in this kernel", "withheld by the sandbox", "where"], rows));
}
