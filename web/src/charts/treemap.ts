// Where the executed code lies: subsystem, file, function, as nested rectangles.
import { choice, h, visible } from "../dom";
import { Drawing, Figure as Frame, base_option, font } from "../figure";
import * as format from "../format";
import { Page } from "../model";
import { recording_choices } from "../recordings";
import { Theme, subsystem_hues } from "../theme";

interface Leaf {
  name: string;
  file: string;
  subsystem: string;
  lines: number | null;
  executed: number | null;
  counted: boolean;  // one of the functions that the metric "functions" counts
}
interface Branch {
  name: string;
  value: number;
  children?: Branch[];
  leaf?: Leaf;
  path: string;
  itemStyle?: Record<string, unknown>;
}

const sizes: Record<string, string> = { executed_lines: "executed lines", lines: "lines of the functions", functions: "functions" };

// "net/ipv4/tcp.c" -> "net/ipv4"; the kernel's folders, two levels.
export function subsystem_of(file: string | null, given: unknown): string {
  if (typeof given === "string" && given !== "") return given;
  if (file === null) return "[no source]";
  const parts = file.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length <= 1 ? "[top]" : parts.slice(0, Math.min(2, parts.length - 1)).join("/");
}

// What can be looked at: layers, and for the HAP the contexts that belong to it.
const areas: Record<string, { title: string; layers: string[]; contexts?: string[] }> = {
  hap: { title: "host kernel and hypervisor (HAP)", layers: ["host-kernel", "hypervisor"], contexts: ["task", "vcpu", "kthread"] },
  host: { title: "the same in any context", layers: ["host-kernel", "hypervisor"] },
  "guest-kernel": { title: "guest kernel", layers: ["guest-kernel"] },
  sandbox: { title: "sandbox", layers: ["sandbox"] },
  application: { title: "application", layers: ["application"] },
  "host-daemon": { title: "host daemons", layers: ["host-daemon"] },
};

function leaves(page: Page, recording: number, area: string): Leaf[] {
  const { layers, contexts } = areas[area];
  const { identities, columns } = page.functions.recording(recording);
  const found = new Map<string, Leaf>();
  const executed = columns.get("executed_lines");
  const lines = columns.get("lines");
  const subsystems = columns.get("subsystem");
  for (let row = 0; row < identities.length; ++row) {
    const identity = identities[row];
    if (!layers.includes(String(page.functions.of_identity("layer", identity)))) continue;
    if (contexts && !contexts.includes(String(page.functions.of_identity("context", identity)))) continue;
    const name = String(page.functions.of_identity("name", identity) ?? "[unresolved]");
    const file = page.functions.of_identity("file", identity);
    const path = typeof file === "string" && file !== "" ? file : null;
    const number = (column: Float64Array | undefined) => {
      const value = column ? page.functions.decode(column[row]) : null;
      return typeof value === "number" ? value : null;
    };
    const key = `${path ?? ""}\0${name}`;
    const old = found.get(key);
    const ran = number(executed);
    // The same function in several contexts: the largest share of it that ran in one.
    if (old) old.executed = ran === null ? old.executed : Math.max(old.executed ?? 0, ran);
    else {
      const given = subsystems ? page.functions.decode(subsystems[row]) : null;
      found.set(key, { name, file: path ?? "[no source]", subsystem: subsystem_of(path, given), lines: number(lines), executed: ran, counted: is_counted(columns, row, page) });
    }
  }
  return [...found.values()];
}

// Functions seen only inlined into others, and labels for code of no known function, are not counted as functions.
function is_counted(columns: Map<string, Float64Array>, row: number, page: Page): boolean {
  const set = (field: string) => { const codes = columns.get(field); return codes !== undefined && page.functions.decode(codes[row]) === true; };
  return !set("inlined") && !set("label");
}

export function treemap(page: Page): Frame {
  const choices = recording_choices(page);
  let recording = 0;
  let size = "executed_lines";
  let area = "hap";
  const draw = (theme: Theme): Drawing => {
    const all = leaves(page, recording, area);
    const measure = (leaf: Leaf) => size === "functions" ? (leaf.counted ? 1 : 0) : size === "lines" ? leaf.lines : leaf.executed;
    const known = all.filter((leaf) => measure(leaf) !== null);
    const roots = grow(known, measure, theme);
    const total = roots.reduce((sum, root) => sum + root.value, 0);
    return {
      option: known.length === 0 ? null : {
        ...base_option(theme),
        series: [{
          type: "treemap", name: "all", data: roots, drillDownIcon: "", left: 0, right: 0, top: 0, bottom: 30, leafDepth: 2, roam: false, nodeClick: "zoomToNode", visibleMin: 24, squareRatio: 0.9,
          breadcrumb: { bottom: 0, height: 22, itemStyle: { color: theme.rule, textStyle: { color: theme.ink, fontFamily: font } }, emphasis: { itemStyle: { color: theme.faint } } },
          label: { show: true, color: "#ffffff", fontSize: 11.5, overflow: "truncate", padding: 4, position: "insideTopLeft" },
          upperLabel: { show: true, height: 20, color: theme.ink, fontSize: 12, fontWeight: 600, overflow: "truncate" },
          itemStyle: { borderColor: theme.surface, gapWidth: 1 },
          levels: [
            { itemStyle: { borderWidth: 0, gapWidth: 3 }, upperLabel: { show: false } },
            { itemStyle: { borderWidth: 0, gapWidth: 1 } },
            { colorSaturation: [0.28, 0.42], itemStyle: { gapWidth: 1, borderColorSaturation: 0.4 } },
            { colorSaturation: [0.24, 0.4] },
          ],
        }],
      },
      height: 520,
      header: ["subsystem", "file", "function", "lines", "executed_lines"],
      rows: all.map((leaf) => [leaf.subsystem, leaf.file, leaf.name, leaf.lines, leaf.executed]),
      summary: `${format.number(total)} ${sizes[size]} in ${roots.length} subsystems, the largest ${visible(roots.slice(0, 3).map((root) => root.name).join(", "))}.`,
      note: [
        known.length === 0 ? `Nothing to draw: ${all.length === 0 ? "no functions here" : `${sizes[size]} are unknown for all ${format.number(all.length)} functions`}. ` :
          `${format.number(total)} ${sizes[size]} of ${format.plural(known.length, "function")} in ${format.plural(roots.length, "subsystem")}. Choose a rectangle to go into it; the path below leads back. `,
        known.length > 0 && known.length < all.length && h("span", { class: "gap" }, `Not drawn: ${format.plural(all.length - known.length, "function")} whose ${sizes[size]} are unknown.`),
      ],
      tip: (event) => {
        const node = event.data as Branch | undefined;
        if (!node?.path) return null;
        const tip: [string, string][] = [[node.path, ""], [sizes[size], `${format.number(node.value)} (${format.percent(node.value / total)})`]];
        if (node.leaf) tip.push(["executed of all lines", `${format.number(node.leaf.executed)} of ${format.number(node.leaf.lines)}`]);
        return tip;
      },
    };
  };
  const frame: Frame = new Frame("treemap", "Where the executed code lies", [], draw, [
    choices.length > 1 && choice("Recording", choices, "0", (key) => { recording = Number(key); frame.refresh(); }),
    choice("Code of", Object.entries(areas).map(([key, one]): [string, string] => [key, one.title]), area, (key) => { area = key; frame.refresh(); }),
    choice("Area shows", Object.entries(sizes), size, (key) => { size = key; frame.refresh(); }),
  ]);
  return frame;
}

function grow(known: Leaf[], measure: (leaf: Leaf) => number | null, theme: Theme): Branch[] {
  const roots = new Map<string, Map<string, Leaf[]>>();
  for (const leaf of known) {
    const files = roots.get(leaf.subsystem) ?? new Map<string, Leaf[]>();
    roots.set(leaf.subsystem, files);
    const functions = files.get(leaf.file) ?? [];
    files.set(leaf.file, functions);
    functions.push(leaf);
  }
  const sum = (branches: Branch[]) => branches.reduce((total, branch) => total + branch.value, 0);
  const hues = subsystem_hues[theme.dark ? 1 : 0];
  const tops = [...new Set([...roots.keys()].map((name) => name.split("/")[0]))].sort();
  const grown = [...roots].map(([subsystem, files]) => {
    const children = [...files].map(([file, functions]) => {
      const leaves_ = functions.map((leaf) => ({ name: visible(leaf.name), value: measure(leaf) as number, leaf, path: `${leaf.file}: ${leaf.name}` }));
      const short = file.startsWith(`${subsystem}/`) ? file.slice(subsystem.length + 1) : file;
      return { name: visible(short), value: sum(leaves_), children: leaves_, path: file };
    });
    return { name: visible(subsystem), value: sum(children), children, path: subsystem };
  });
  grown.sort((a, b) => b.value - a.value);
  for (const branch of grown) {
    (branch as Branch).itemStyle = { color: hues[tops.indexOf(branch.path.split("/")[0]) % hues.length] };
  }
  return grown;
}
