// What sandboxes share and what only one exercises: an UpSet plot of functions.
//   Lex, Gehlenborg, Strobelt, Vuillemot, Pfister: UpSet, IEEE TVCG 20, 2014.
import { choice, visible } from "../dom";
import { Drawing, Figure as Frame, base_option } from "../figure";
import * as format from "../format";
import { Page } from "../model";
import { Theme, sandbox_colors } from "../theme";

export interface Overlap {
  members: boolean[];  // by sandbox
  functions: string[];
}

const most_columns = 24;

// Host kernel and hypervisor functions of each sandbox under one workload: in any recording, in any context.
export function overlaps(page: Page, workload: string): { sandboxes: string[]; sizes: number[]; overlaps: Overlap[] } {
  const cells = page.cells.filter((cell) => cell.workload === workload);
  const store = page.functions;
  const key_of = new Map<number, string | null>();
  const key = (identity: number) => {
    let known = key_of.get(identity);
    if (known === undefined) {
      const layer = store.of_identity("layer", identity);
      const inside = (layer === "host-kernel" || layer === "hypervisor") && ["task", "vcpu", "kthread"].includes(String(store.of_identity("context", identity)));
      const counted = store.of_identity("inlined", identity) !== true && store.of_identity("label", identity) !== true;
      known = inside && counted ? `${store.of_identity("name", identity)}\0${store.of_identity("file", identity) ?? ""}` : null;
      key_of.set(identity, known);
    }
    return known;
  };
  const where = new Map<string, boolean[]>();
  cells.forEach((cell, nth) => {
    for (const recording of cell.reports) {
      for (const identity of store.identities_of(recording)) {
        const name = key(identity);
        if (name === null) continue;
        let members = where.get(name);
        if (!members) where.set(name, members = cells.map(() => false));
        members[nth] = true;
      }
    }
  });
  const groups = new Map<string, Overlap>();
  const sizes = cells.map(() => 0);
  for (const [name, members] of where) {
    members.forEach((is, nth) => { if (is) ++sizes[nth]; });
    const pattern = members.map(Number).join("");
    const group = groups.get(pattern) ?? { members, functions: [] };
    groups.set(pattern, group);
    group.functions.push(name.split("\0")[0]);
  }
  const sorted = [...groups.values()].sort((a, b) => b.functions.length - a.functions.length);
  return { sandboxes: cells.map((cell) => cell.sandbox), sizes, overlaps: sorted };
}

export function sharing(page: Page, choose: (names: Set<string>, title: string) => void): Frame {
  const workloads = [...new Set(page.cells.map((cell) => cell.workload))].filter((workload) => page.cells.filter((cell) => cell.workload === workload).length > 1);
  let workload = workloads[0] ?? "";
  let order = "size";
  const title_of = (sandboxes: string[], overlap: Overlap) => {
    const inside = sandboxes.filter((_, nth) => overlap.members[nth]);
    if (inside.length === sandboxes.length) return "all sandboxes";
    return inside.length === 1 ? `only ${inside[0]}` : inside.join(" and ");
  };
  const draw = (theme: Theme): Drawing => {
    const { sandboxes, sizes, overlaps: found } = overlaps(page, workload);
    if (order === "single") {
      const rank = (overlap: Overlap) => { const n = overlap.members.filter(Boolean).length; return n === 1 ? 0 : n === sandboxes.length ? 1 : 2; };
      found.sort((a, b) => rank(a) - rank(b) || b.functions.length - a.functions.length);
    }
    const shown = found.slice(0, most_columns);
    const colors = sandbox_colors(sandboxes, theme);
    const rows = [...sandboxes.keys()].reverse();
    const dots: unknown[] = [];
    const links: unknown[] = [];
    shown.forEach((overlap, column) => {
      const inside: number[] = [];
      rows.forEach((sandbox, row) => {
        if (overlap.members[sandbox]) inside.push(row);
        dots.push({ value: [column, row], column, itemStyle: { color: overlap.members[sandbox] ? theme.ink : theme.rule } });
      });
      links.push([column, Math.min(...inside), Math.max(...inside)]);
    });
    const color_of = (overlap: Overlap) => {
      const inside = sandboxes.filter((_, nth) => overlap.members[nth]);
      return inside.length === 1 ? colors.get(inside[0]) : inside.length === sandboxes.length ? theme.muted : theme.faint;
    };
    const columns = shown.map((_, at) => String(at));
    const side = 240;
    const height = 230 + 26 * sandboxes.length;
    const blank = { axisLabel: { show: false }, axisTick: { show: false }, axisLine: { show: false }, splitLine: { show: false } };
    return {
      option: shown.length === 0 ? null : {
        ...base_option(theme),
        grid: [
          { left: side + 96, right: 12, top: 26, height: 168 },
          { left: side + 96, right: 12, top: 204, height: 26 * sandboxes.length },
          { left: 64, width: side - 110, top: 204, height: 26 * sandboxes.length },
        ],
        xAxis: [
          { type: "category", gridIndex: 0, data: columns, ...blank, axisLine: { show: true, lineStyle: { color: theme.faint } } },
          { type: "category", gridIndex: 1, data: columns, ...blank },
          { type: "value", gridIndex: 2, inverse: true, ...blank },
        ],
        yAxis: [
          { type: "value", gridIndex: 0, name: "functions", nameTextStyle: { color: theme.muted, align: "right" }, splitNumber: 3, axisLabel: { color: theme.muted, formatter: format.short }, splitLine: { lineStyle: { color: theme.rule } } },
          { type: "category", gridIndex: 1, data: rows.map((s) => visible(sandboxes[s])), ...blank, axisLabel: { show: true, color: theme.ink, width: 132, overflow: "truncate" } },
          { type: "category", gridIndex: 2, data: rows.map((s) => visible(sandboxes[s])), ...blank },
        ],
        series: [
          {
            type: "bar", xAxisIndex: 0, yAxisIndex: 0, barMaxWidth: 26, cursor: "pointer",
            label: { show: true, position: "top", fontSize: 11, color: theme.muted, formatter: (p: any) => format.short(p.value) },
            data: shown.map((overlap, column) => ({ value: overlap.functions.length, column, itemStyle: { color: color_of(overlap), borderRadius: [2, 2, 0, 0] } })),
          },
          {
            type: "custom", xAxisIndex: 1, yAxisIndex: 1, silent: true, data: links, encode: { x: 0, y: [1, 2] },
            renderItem: (_: unknown, api: any) => {
              const [x, y1] = api.coord([api.value(0), api.value(1)]);
              const [, y2] = api.coord([api.value(0), api.value(2)]);
              return { type: "line", shape: { x1: x, y1, x2: x, y2 }, style: { stroke: theme.ink, lineWidth: 2 } };
            },
          },
          { type: "scatter", xAxisIndex: 1, yAxisIndex: 1, symbolSize: 11, data: dots, cursor: "pointer" },
          {
            type: "bar", xAxisIndex: 2, yAxisIndex: 2, barMaxWidth: 15, label: { show: true, position: "left", color: theme.muted, fontSize: 11, formatter: (p: any) => format.short(p.value) },
            data: rows.map((s) => ({ value: sizes[s], sandbox: s, itemStyle: { color: colors.get(sandboxes[s]) } })),
          },
        ],
      },
      height,
      header: ["workload", ...sandboxes, "functions", "names"],
      rows: found.map((overlap) => [workload, ...overlap.members, overlap.functions.length, overlap.functions.slice(0, 200).join(" ")]),
      summary: `${format.number(found.find((one) => one.members.every(Boolean))?.functions.length ?? 0)} functions are exercised by all ${sandboxes.length} sandboxes; ` +
        sandboxes.map((sandbox, nth) => `${format.number(found.find((one) => one.members.filter(Boolean).length === 1 && one.members[nth])?.functions.length ?? 0)} only by ${visible(sandbox)}`).join(", ") + ".",
      note: [
        "Functions of the HAP: host kernel and hypervisor, in task, vcpu and kthread context. Each column is a combination of sandboxes (the dots below it); coloured columns are exercised by that sandbox alone. Choose a column to list its functions in the table. ",
        found.length > shown.length ? `${found.length - shown.length} smaller combinations are in the CSV.` : "",
      ],
      tip: (event) => {
        if (event.data?.sandbox !== undefined) return [[sandboxes[event.data.sandbox], ""], ["functions", format.number(sizes[event.data.sandbox])]];
        const overlap = shown[event.data?.column];
        return overlap ? [[title_of(sandboxes, overlap), ""], ["functions", format.number(overlap.functions.length)]] : null;
      },
      click: (event) => {
        const overlap = shown[event.data?.column];
        if (overlap) choose(new Set(overlap.functions), `${title_of(sandboxes, overlap)}, ${workload}`);
      },
    };
  };
  const frame: Frame = new Frame("sharing", "What sandboxes share, and what only one exercises", [], draw, [
    workloads.length > 1 && choice("Workload", workloads.map((one) => [one, one]), workload, (key) => { workload = key; frame.refresh(); }),
    choice("Order", [["size", "largest first"], ["single", "single sandboxes first"]], order, (key) => { order = key; frame.refresh(); }),
  ]);
  return frame;
}
