// What the page is given: reports (docs/report.schema.json), a comparison (docs/compare.schema.json), a difference.
// Every figure may be unknown: null. It is then said to be unknown and never drawn as zero.
import { FunctionStore } from "./functions";

export interface Estimate {
  value: number;
  low: number | null;
  high: number | null;
}
export type Figure = Estimate | null;
export type Profile = Record<string, Figure>;

export interface Part {
  name: string;
  [figure: string]: unknown;
}

export interface Report {
  schema: string;
  sandbox: string;
  workload: string;
  collector: string;
  [key: string]: unknown;
}

export interface Page {
  reports: Report[];
  comparison: Record<string, unknown> | null;
  difference: Record<string, unknown> | null;
  functions: FunctionStore;
  cells: Cell[];
  // Bytes of data in the page, for the colophon.
  size: number;
}

// The recordings of one sandbox with one workload (and one collector): what one bar stands for.
export interface Cell {
  label: string;
  sandbox: string;
  workload: string;
  reports: number[];
}

export const metrics: Record<string, { title: string; unit: string; says: string }> = {
  functions: { title: "Functions", unit: "functions", says: "distinct functions executed" },
  function_lines: {
    title: "Lines of those functions",
    unit: "lines",
    says: "all source lines of every function executed, as function tracing gives it",
  },
  executed_lines: { title: "Executed lines", unit: "lines", says: "distinct source lines executed" },
  code_bytes: { title: "Machine code", unit: "bytes", says: "bytes of machine code executed" },
  complexity: {
    title: "Complexity",
    unit: "paths",
    says: "sum of the cyclomatic complexity of the functions executed",
  },
  expected_bugs: { title: "Expected bugs", unit: "bugs", says: "lines times bug density; see the model beside it" },
  known_cves: { title: "Known vulnerabilities", unit: "records", says: "ledger records whose fixed code was executed" },
};

export const profiles: Record<string, { title: string; says: string }> = {
  hap: { title: "HAP", says: "host kernel and hypervisor, on the tenant's behalf, while serving" },
  hap_with_softirq: {
    title: "HAP with softirq",
    says: "the HAP and the softirqs run for the sandbox's devices and sockets",
  },
  hap_without_emulation: {
    title: "HAP without emulation",
    says: "the HAP without code that runs only because the emulated processor lacks assists",
  },
  vap: { title: "VAP", says: "all code traversed to provide the service, every layer" },
  stage1: { title: "Stage 1", says: "tenant to its own monitor or Sentry" },
  stage2: { title: "Stage 2", says: "that monitor or Sentry to the host" },
  interrupts: { title: "Interrupts", says: "beside it: interrupt handlers that ran while the tenant's tasks were current" },
  host_daemons: { title: "Host daemons", says: "beside it: host processes that work for the sandbox" },
};

// Names of the data may be "__proto__" or "constructor": a table is only ever asked for entries of its own.
export function entry<T>(table: Record<string, T>, key: string): T | undefined {
  return Object.prototype.hasOwnProperty.call(table, key) ? table[key] : undefined;
}

export const layer_titles: Record<string, string> = {
  application: "application",
  "guest-kernel": "guest kernel",
  sandbox: "sandbox (monitor, Sentry)",
  "host-daemon": "host daemons",
  "host-kernel": "host kernel",
  hypervisor: "hypervisor",
};

export function is_record(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
export function as_number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
export function as_text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
export function as_list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
export function as_records(value: unknown): Record<string, unknown>[] {
  return as_list(value).filter(is_record);
}

// A figure as a number with its interval, a bare number, or unknown.
export function as_figure(value: unknown): Figure {
  if (typeof value === "number") return { value, low: null, high: null };
  if (!is_record(value)) return null;
  const number = as_number(value.value);
  if (number === null) return null;
  return { value: number, low: as_number(value.low), high: as_number(value.high) };
}

// A metric of a profile of a report; `known_cves` stands beside the profiles, and is of the HAP.
export function figure_of(report: Report, profile: string, metric: string): Figure {
  const from = profile_of(report, profile);
  const inside = is_record(from) ? as_figure(from[metric]) : null;
  if (inside === null && metric === "known_cves" && profile === "hap") return as_figure(report.known_cves);
  return inside;
}

// What stands beside the profiles is looked at like one of them.
function profile_of(report: Report, profile: string): unknown {
  return report[profile] ?? (is_record(report.beside) ? report.beside[profile] : undefined);
}

// Why a figure is unknown, where the report says so.
export function why_unknown(report: Report, profile: string, metric: string): string | null {
  const from = profile_of(report, profile);
  if (from === null || from === undefined) return "not measured";
  if (is_record(from) && is_record(from.unknown)) return as_text(from.unknown[metric]);
  return null;
}

function unshare(report: Record<string, unknown>, shared: unknown[], records: unknown[]): Report {
  const whole: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(report)) {
    whole[key] = is_record(value) && typeof value.$shared === "number" ? shared[value.$shared] : value;
  }
  // Records of the ledger are numbers of those that the page lists once.
  if (is_record(whole.exposure) && Array.isArray(whole.exposure.records)) {
    whole.exposure = { ...whole.exposure, records: whole.exposure.records.map((one) => (typeof one === "number" ? records[one] : one)) };
  }
  for (const key of ["sandbox", "workload", "collector"]) whole[key] = as_text(whole[key]) ?? "unknown";
  return whole as Report;
}

function cells_of(reports: Report[], difference: boolean): Cell[] {
  if (difference && reports.length === 2) {
    return reports.map((report, index) => {
      const sandbox = `${index === 0 ? "before" : "after"}: ${report.sandbox}`;
      return { label: `${sandbox}, ${report.workload}`, sandbox, workload: report.workload, reports: [index] };
    });
  }
  const collectors = new Set(reports.map((r) => r.collector));
  const kernel = (report: Report) => (is_record(report.kernel) ? as_text(report.kernel.release) : null);
  const kernels = new Set(reports.map(kernel));
  const cells = new Map<string, Cell>();
  reports.forEach((report, index) => {
    // Named as the comparison names them: with whatever tells recordings of one sandbox apart.
    const sandbox = [report.sandbox, as_text(report.label), collectors.size > 1 ? report.collector : null, kernels.size > 1 ? kernel(report) : null]
      .filter((part) => part !== null)
      .join("/");
    const key = JSON.stringify([sandbox, report.workload]);
    const cell = cells.get(key) ?? { label: `${sandbox}, ${report.workload}`, sandbox, workload: report.workload, reports: [] };
    cell.reports.push(index);
    cells.set(key, cell);
  });
  return [...cells.values()];
}

export function read_page(): Page {
  const text = document.getElementById("hap-page")?.textContent ?? "";
  const raw = JSON.parse(text) as Record<string, unknown>;
  const packed = document.getElementById("hap-functions")?.textContent ?? "";
  const shared = as_list(raw.shared);
  const reports = as_records(raw.reports).map((report) => unshare(report, shared, as_list(raw.exposed)));
  return {
    reports,
    comparison: is_record(raw.comparison) ? raw.comparison : null,
    difference: is_record(raw.difference) ? raw.difference : null,
    functions: new FunctionStore(packed),
    cells: cells_of(reports, is_record(raw.difference)),
    size: text.length + packed.length,
  };
}
