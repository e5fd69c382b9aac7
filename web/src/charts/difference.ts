// What one recording has and another has not: hap diff.
import { h, visible } from "../dom";
import { Cell } from "../csv";
import { Drawing, Figure as Frame, base_option, category_axis, number_table, value_axis } from "../figure";
import * as format from "../format";
import { Page, as_list, as_number, as_records, as_text, entry, is_record, metrics } from "../model";
import { Theme } from "../theme";
import { subsystem_of } from "./treemap";

export function side(page: Page, which: "before" | "after"): string {
  const from = page.difference?.[which];
  if (!is_record(from)) return which;
  return `${as_text(from.workload) ?? "unknown"} in ${as_text(from.sandbox) ?? "unknown"} (${as_text(from.recording) ?? "unknown"})`;
}

// The figures before and after, as `hap diff` prints them.
export function changes(page: Page): HTMLElement {
  const rows = as_records(page.difference?.metrics).map((one): Cell[] => [
    entry(metrics, String(one.metric))?.title ?? String(one.metric), as_number(one.before), as_number(one.after), as_number(one.change), as_number(one.percent)]);
  const box = h("div", {}, h("p", { class: "says" }, h("strong", {}, "Before: "), visible(side(page, "before"))), h("p", { class: "says" }, h("strong", {}, "After: "), visible(side(page, "after"))),
    number_table(["metric", "before", "after", "change", "percent"], rows));
  box.id = "changes";
  return box;
}

const folder_of = (one: Record<string, unknown>): string => as_text(one.subsystem) ?? subsystem_of(as_text(one.file), undefined);
const names = (list: unknown): string => as_list(list).map(String).join(" ");

// By source folder: functions and lines gained and lost, and what brought them.
export function folder_changes(page: Page): HTMLElement {
  const folders = as_records(page.difference?.subsystems);
  if (folders.length === 0) return h("div", {});
  const few = (list: unknown, mark: string): string[] => as_list(list).slice(0, 6).map((one) => `${mark}${String(one)}`);
  const rows = folders.map((one): Cell[] => {
    const ways = [...few(one.syscalls, ""), ...few(one.entries, "*")];
    return [as_text(one.name), as_number(one.functions_gained), as_number(one.functions_lost), as_number(one.lines_gained), as_number(one.lines_lost), names(one.contexts), ways.join(", ")];
  });
  const calls = is_record(page.difference?.syscalls) ? page.difference.syscalls : {};
  const only = (key: string, title: string) => as_list(calls[key]).length > 0 && h("p", { class: "says" }, h("strong", {}, `${title}: `), visible(as_list(calls[key]).map(String).join(", "), 2000));
  const box = h("div", {}, only("only_before", "System calls only before"), only("only_after", "System calls only after"),
    number_table(["source folder", "functions gained", "lost", "lines gained", "lost", "contexts", "entered by"], rows),
    h("p", { class: "says" }, "Entered by: system calls, and functions (*) entered through a pointer, an exception or an interrupt, from which direct calls lead to the folder's functions.",
      page.difference?.same_kernel === false && h("span", { class: "gap" }, " Two builds of the kernel: their lines are not the same ones.")));
  box.id = "folder-changes";
  return box;
}

export function gained_and_lost(page: Page): Frame {
  const count = new Map<string, { gained: string[]; lost: string[] }>();
  const add = (key: string, into: "gained" | "lost") => {
    for (const one of as_records(page.difference?.[key])) {
      const folder = folder_of(one);
      const entry_ = count.get(folder) ?? { gained: [], lost: [] };
      count.set(folder, entry_);
      entry_[into].push(String(one.name));
    }
  };
  add("only_after", "gained");
  add("only_before", "lost");
  const folders = [...count].sort((a, b) => b[1].gained.length + b[1].lost.length - a[1].gained.length - a[1].lost.length);
  const draw = (theme: Theme): Drawing => {
    const shown = folders.slice(0, 30).reverse();
    const sum = (into: "gained" | "lost") => folders.reduce((total, [, one]) => total + one[into].length, 0);
    return {
      option: shown.length === 0 ? null : {
        ...base_option(theme),
        legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: theme.ink } },
        grid: { left: 8, right: 40, top: 40, bottom: 34, containLabel: true },
        yAxis: category_axis(theme, shown.map(([name]) => name)),
        xAxis: { ...value_axis(theme, "functions", (v) => format.short(Math.abs(v))), min: undefined, minInterval: 1, nameLocation: "middle", nameGap: 28 },
        series: (["lost", "gained"] as const).map((into) => ({
          type: "bar", stack: "change", name: into === "gained" ? "only after" : "only before", barMaxWidth: 18,
          itemStyle: { color: into === "gained" ? (theme.dark ? "#e07b4f" : "#b2502a") : (theme.dark ? "#6fa8d6" : "#2f6da3") },
          data: shown.map(([name, one]) => ({ value: into === "gained" ? one.gained.length : -one.lost.length, name: visible(name), into, folder: name })),
        })),
      },
      height: 90 + 24 * Math.max(2, shown.length),
      header: ["change", "subsystem", "function", "file", "executed_lines_before", "executed_lines_after", "contexts", "syscalls", "entries"],
      rows: ["only_before", "only_after", "changed"].flatMap((key) => as_records(page.difference?.[key]).map((one): Cell[] => [
        key.replace("_", " "), folder_of(one), String(one.name), as_text(one.file), as_number(one.executed_lines_before), as_number(one.executed_lines_after), names(one.contexts), names(one.syscalls), names(one.entries)])),
      summary: `${sum("gained")} functions only after, ${sum("lost")} only before.`,
      note: [
        `${format.plural(sum("gained"), "function")} only after, ${format.plural(sum("lost"), "function")} only before, ${format.number(as_number(page.difference?.functions_in_both))} in both. `,
        shown.length < folders.length ? `The ${shown.length} folders with most changes are drawn; the CSV has all.` : "",
      ],
      tip: (event) => {
        const one = event.data?.folder === undefined ? undefined : count.get(event.data.folder);
        if (!one) return null;
        const names = one[event.data.into as "gained" | "lost"];
        return [[event.data.folder, ""], [event.data.into === "gained" ? "only after" : "only before", String(names.length)], [names.slice(0, 8).join(", ") + (names.length > 8 ? " ..." : ""), " "]];
      },
    };
  };
  return new Frame("difference", "Functions gained and lost", [], draw);
}
