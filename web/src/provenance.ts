// Where the figures come from and what is missing from them, in the open.
import { append, h, visible } from "./dom";
import * as format from "./format";
import { Cell as CsvCell } from "./csv";
import { number_table } from "./figure";
import { Page, Report, as_list, as_number, as_records, as_text, is_record } from "./model";
import { curve_of, verdict } from "./charts/accumulation";
import { recording_title } from "./recordings";

export interface Caveat {
  text: string;
  recordings: number[];
}

const shown_as_text = (value: unknown): string => {
  if (value === null || value === undefined) return format.unknown;
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  if (typeof value === "number") return format.number(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(shown_as_text).join(", ");
  return Object.entries(value as Record<string, unknown>).map(([key, inner]) => `${key} ${shown_as_text(inner)}`).join("; ");
};

function losses_of(report: Report): [string, number | null][] {
  const loss = is_record(report.loss) ? report.loss : {};
  return Object.entries(loss).filter(([, value]) => value === null || typeof value === "number").map(([key, value]) => [key, as_number(value)]);
}

// What a reader must know before reading a number: losses, unknown losses, no steady state, failed requests.
export function caveats(page: Page): Caveat[] {
  const found = new Map<string, number[]>();
  const note = (text: string, index: number) => found.set(text, [...(found.get(text) ?? []), index]);
  page.reports.forEach((report, index) => {
    for (const [kind, count] of losses_of(report)) {
      if (count === null) note(`${kind.replace(/_/g, " ")}: unknown`, index);
      else if (count > 0) note(kind.replace(/_/g, " "), index);
    }
    for (const other of as_records(is_record(report.loss) ? report.loss.others : [])) {
      if (as_number(other.count) !== 0) note(`${format.number(as_number(other.count))} ${String(other.kind).replace(/_/g, " ")}${as_text(other.detail) ? ` (${as_text(other.detail)})` : ""}`, index);
    }
    const unnamed = as_records(is_record(report.loss) ? report.loss.images_without_symbols : []);
    if (unnamed.length > 0) note(`no symbols for ${unnamed.map((one) => String(one.image)).slice(0, 6).join(", ")}${unnamed.length > 6 ? ` and ${unnamed.length - 6} more` : ""}`, index);
    for (const guard of as_records(report.guards)) {
      if (guard.outcome !== "passed") note(`check \u201c${String(guard.name)}\u201d ${guard.outcome === "failed" ? "failed" : "could not be made"}: ${String(guard.detail)}`, index);
    }
    if (losses_of(report).length === 0) note("losses are not stated", index);
    const curve = curve_of(report);
    if (curve.steady !== true) note(verdict(curve), index);
    for (const warning of curve.warnings) note(warning, index);
    const served = is_record(report.served) ? report.served : {};
    const failed = as_number(served.failed);
    if (failed === null) note("failed requests: unknown", index);
    else if (failed > 0) note("requests that were not served", index);
    if (as_number(served.requests) === 0) note("no request was served", index);
    for (const warning of as_list(report.warnings)) if (as_text(warning)) note(as_text(warning) as string, index);
  });
  return [...found].map(([text, recordings]) => ({ text, recordings })).sort((a, b) => b.recordings.length - a.recordings.length);
}

export function caveat_list(page: Page): HTMLElement {
  const all = caveats(page);
  if (all.length === 0) return h("p", { class: "sound" }, "Nothing was lost, every recording reached its steady state, and every request was served.");
  const list = h("ul", { class: "caveats" });
  for (const { text, recordings } of all) {
    const where = recordings.length === page.reports.length && page.reports.length > 1 ? `all ${recordings.length} recordings` :
      recordings.length > 4 ? `${recordings.length} of ${page.reports.length} recordings` : recordings.map((index) => recording_title(page, index)).join("; ");
    const sizes = recordings.map((index) => losses_of(page.reports[index]).find(([kind]) => kind.replace(/_/g, " ") === text)?.[1]).filter((one): one is number => typeof one === "number");
    const size = sizes.length === 0 ? "" : Math.min(...sizes) === Math.max(...sizes) ? `${format.number(sizes[0])} ` : `${format.number(Math.min(...sizes))} to ${format.number(Math.max(...sizes))} `;
    append(list, h("li", {}, h("strong", {}, visible(`${size}${text}`)), page.reports.length > 1 ? ` \u2014 ${visible(where)}` : ""));
  }
  return list;
}

function flat(report: Report): Map<string, string> {
  const facts = new Map<string, string>();
  const add = (name: string, value: unknown) => facts.set(name, shown_as_text(value));
  for (const key of ["collector", "windows"]) if (report[key] !== undefined) add(key, report[key]);
  for (const group of ["kernel", "served", "loss", "completeness", "permitted", "machine", "profile", "granularity", "created", "tool_version", "recording", "conditions"]) {
    const value = report[group];
    if (is_record(value)) {
      for (const [key, inner] of Object.entries(value)) {
        if (key === "accumulation" || key === "curve") continue;
        if (Array.isArray(inner) && inner.length > 40) add(`${group}: ${key}`, `${inner.length} entries`);
        else add(`${group}: ${key}`, inner);
      }
    } else if (value !== undefined && !facts.has(group)) add(group, value);
  }
  return facts;
}

export function provenance(page: Page): HTMLElement {
  const all = page.reports.map(flat);
  const names = [...new Set(all.flatMap((facts) => [...facts.keys()]))];
  const same: CsvCell[][] = [];
  const different: string[] = [];
  for (const name of names) {
    const values = new Set(all.map((facts) => facts.get(name) ?? format.unknown));
    if (values.size === 1) same.push([name, [...values][0]]);
    else different.push(name);
  }
  const section = h("div", { class: "provenance" });
  append(section, h("h3", {}, page.reports.length > 1 ? "The same in all recordings" : "This recording"), number_table(["fact", "value"], same));
  if (different.length > 0) {
    const most = 60;
    append(section, h("h3", {}, "Different between recordings"),
      number_table(["recording", ...different], page.reports.slice(0, most).map((_, index) => [recording_title(page, index), ...different.map((name) => all[index].get(name) ?? format.unknown)])),
      page.reports.length > most && h("p", {}, `The first ${most} of ${page.reports.length} recordings; the JSON report has all.`));
  }
  return section;
}
