// How one recording is named where several can be chosen.
import { Page, as_text } from "./model";

export function recording_title(page: Page, index: number): string {
  const report = page.reports[index];
  const cell = page.cells.find((one) => one.reports.includes(index));
  const base = `${report.sandbox}, ${report.workload}`;
  if (!cell || cell.reports.length === 1) return cell?.label ?? base;
  const boot = report.boot ?? null;
  const repeat = report.repeat ?? null;
  const file = as_text(report.recording) ?? as_text(report.file);
  const which = boot !== null && repeat !== null ? `boot ${boot}, repeat ${repeat}` : file ?? `number ${cell.reports.indexOf(index) + 1}`;
  return `${cell.label} (${which})`;
}

export function recording_choices(page: Page): [string, string][] {
  return page.reports.map((_, index) => [String(index), recording_title(page, index)]);
}
