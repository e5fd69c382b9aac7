// The function table: searchable, sortable, and drawn only where it is looked at, so that its length costs nothing.
import { Cell, csv, download } from "./csv";
import { append, choice, clear, h, visible } from "./dom";
import * as format from "./format";
import { Page, entry } from "./model";
import { recording_choices } from "./recordings";
import { subsystem_of } from "./charts/treemap";

type Row = Record<string, string | number | null>;
interface Column {
  field: string;
  title: string;
  numeric: boolean;
  width: string;
}

const row_height = 30;
const titles: Record<string, [string, boolean, string]> = {
  name: ["function", false, "minmax(190px, 2.2fr)"],
  file: ["file", false, "minmax(170px, 2fr)"],
  line: ["line", true, "64px"],
  lines: ["lines", true, "70px"],
  executed_lines: ["executed", true, "84px"],
  layer: ["layer", false, "104px"],
  context: ["context", false, "92px"],
  hits: ["windows", true, "84px"],
  complexity: ["complexity", true, "96px"],
  bytes: ["bytes", true, "74px"],
  code_bytes: ["bytes", true, "74px"],
  image: ["image", false, "120px"],
};
const plain = ["name", "file", "line", "lines", "executed_lines", "bytes", "code_bytes", "complexity", "layer", "context", "hits"];

export class FunctionTable {
  readonly element: HTMLElement;
  private recording = 0;
  private all: Row[] = [];
  private shown: Row[] = [];
  private columns: Column[] = [];
  private sort: { field: string; down: boolean } = { field: "executed_lines", down: true };
  private filters: Record<string, string> = { layer: "", context: "", subsystem: "" };
  private search = "";
  private only: { names: Set<string>; title: string } | null = null;
  private readonly head = h("div", { class: "vhead", role: "row" });
  private readonly space = h("div", { class: "vspace", role: "presentation" });
  private readonly view = h("div", { class: "vview", tabindex: 0, role: "table", "aria-label": "Functions" });
  private readonly count = h("p", { class: "count", role: "status" });
  private readonly choices = h("div", { class: "controls" });
  private readonly box: HTMLInputElement;
  private readonly print = h("div", { class: "print-only" });

  constructor(private readonly page: Page) {
    this.box = h("input", {
      type: "search", id: "function-search", placeholder: "Function or file; several words must all match", autocomplete: "off", spellcheck: "false",
      "aria-label": "Search functions", oninput: () => { this.search = this.box.value; this.narrow(); },
    });
    this.element = h("figure", { id: "figure-functions", "aria-labelledby": "title-functions" },
      h("figcaption", {}, h("h3", { id: "title-functions" }, "Functions")),
      h("div", { class: "bar" }, h("div", { class: "controls grow" }, this.box, this.choices),
        h("div", { class: "downloads" }, h("button", { type: "button", "aria-label": "Download the functions shown as CSV", onclick: () => download("hapmeter-functions.csv", "text/csv", this.csv()) }, "CSV"))),
      this.count, this.view, this.print);
    append(this.view, this.head, this.space);
    this.view.addEventListener("scroll", () => this.draw(), { passive: true });
    this.view.addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeprint", () => this.draw_print());
  }

  choose(names: Set<string>, title: string): void {
    this.only = { names, title };
    this.filters = { layer: "", context: "", subsystem: "" };
    this.search = this.box.value = "";
    this.load();
    this.element.scrollIntoView({ block: "start" });
  }

  load(): void {
    const { identities, columns } = this.page.functions.recording(this.recording);
    const store = this.page.functions;
    this.all = [...identities].map((identity, at) => {
      const row: Row = Object.create(null);
      for (const [field, codes] of columns) {
        const value = store.decode(codes[at]);
        row[field] = typeof value === "number" || typeof value === "string" ? value : value === true ? "yes" : value === false ? "" : null;
      }
      row.subsystem = subsystem_of(typeof row.file === "string" && row.file !== "" ? row.file : null, row.subsystem);
      void identity;
      return row;
    });
    const extra = [...columns.keys()].filter((field) => !plain.includes(field) && field !== "subsystem" && this.all.some((row) => row[field] !== null && row[field] !== ""));
    this.columns = [...plain.filter((field) => columns.has(field)), ...extra].map((field) => {
      const known = entry(titles, field);
      const numeric = known ? known[1] : this.all.some((row) => typeof row[field] === "number");
      return { field, title: known?.[0] ?? field.replace(/_/g, " "), numeric, width: known?.[2] ?? "90px" };
    });
    if (!this.columns.some((column) => column.field === this.sort.field)) this.sort = { field: "name", down: false };
    this.draw_choices();
    this.narrow();
  }

  // Rows as shown, for tests and the CSV.
  rows(): Row[] {
    return this.shown;
  }
  csv(): string {
    return csv([...this.columns.map((column) => column.field), "subsystem"], this.shown.map((row) => [...this.columns.map((column): Cell => row[column.field]), row.subsystem]));
  }

  private draw_choices(): void {
    const recordings = recording_choices(this.page);
    clear(this.choices);
    const values = (field: string) => {
      const found = new Map<string, number>();
      for (const row of this.all) found.set(String(row[field] ?? "unknown"), (found.get(String(row[field] ?? "unknown")) ?? 0) + 1);
      return [...found].sort((a, b) => field === "subsystem" ? a[0].localeCompare(b[0]) : b[1] - a[1]);
    };
    append(this.choices,
      recordings.length > 1 && choice("Recording", recordings, String(this.recording), (key) => { this.recording = Number(key); this.load(); }),
      ...["layer", "context", "subsystem"].map((field) =>
        choice(field[0].toUpperCase() + field.slice(1), [["", "all"], ...values(field).map(([value, count]): [string, string] => [value, `${value} (${count})`])], this.filters[field],
          (key) => { this.filters[field] = key; this.narrow(); })));
  }

  private narrow(): void {
    const words = this.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const wanted = Object.entries(this.filters).filter(([, value]) => value !== "");
    this.shown = this.all.filter((row) => {
      if (this.only && !this.only.names.has(String(row.name))) return false;
      if (!wanted.every(([field, value]) => String(row[field] ?? "unknown") === value)) return false;
      const text = `${row.name} ${row.file}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const { field, down } = this.sort;
    // Unknown values come last, whichever way the column is sorted.
    this.shown.sort((a, b) => {
      const [x, y] = [a[field] ?? null, b[field] ?? null];
      if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
      const order = typeof x === "number" && typeof y === "number" ? x - y : String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0;
      return (down ? -order : order) || (String(a.name) < String(b.name) ? -1 : 1);
    });
    clear(this.count);
    append(this.count, `${format.number(this.shown.length)} of ${format.plural(this.all.length, "row")}; a function is listed once for each context it ran in.`,
      this.only && h("span", {}, ` Only those exercised by ${visible(this.only.title)}. `, h("button", { type: "button", class: "link", onclick: () => { this.only = null; this.narrow(); } }, "Show all")));
    this.view.scrollTop = 0;
    this.view.style.setProperty("--columns", this.columns.map((column) => column.width).join(" "));
    this.space.style.height = `${this.shown.length * row_height}px`;
    this.view.setAttribute("aria-rowcount", String(this.shown.length + 1));
    this.draw_head();
    this.draw();
  }

  private draw_head(): void {
    clear(this.head);
    for (const column of this.columns) {
      const sorted = this.sort.field === column.field;
      const sort = () => {
        this.sort = { field: column.field, down: sorted ? !this.sort.down : column.numeric };
        this.narrow();
        (this.head.querySelector(`[data-field="${CSS.escape(column.field)}"]`) as HTMLElement | null)?.focus();
      };
      append(this.head, h("div", { role: "columnheader", class: column.numeric ? "n" : null, "aria-sort": sorted ? (this.sort.down ? "descending" : "ascending") : "none" },
        h("button", { type: "button", "data-field": column.field, onclick: sort }, `${column.title}${sorted ? (this.sort.down ? " \u2193" : " \u2191") : ""}`)));
    }
  }

  private draw(): void {
    const first = Math.max(0, Math.floor(this.view.scrollTop / row_height) - 8);
    const last = Math.min(this.shown.length, first + Math.ceil(this.view.clientHeight / row_height) + 18);
    const rows: HTMLElement[] = [];
    for (let at = first; at < last; ++at) rows.push(this.row(this.shown[at], at));
    this.space.replaceChildren(...rows);
  }

  private row(row: Row, at: number): HTMLElement {
    const line = h("div", { class: "vrow", role: "row", "aria-rowindex": at + 2 });
    line.style.transform = `translateY(${at * row_height}px)`;
    for (const column of this.columns) {
      const value = row[column.field];
      const text = value === null || value === undefined ? "unknown" : typeof value === "number" ? (column.field === "line" ? String(value) : format.number(value)) : visible(value);
      append(line, h("div", { role: "cell", class: [column.numeric ? "n" : "", value === null || value === undefined ? "unknown" : "", column.field === "name" ? "code" : ""].join(" "), title: column.numeric ? null : text }, text));
    }
    return line;
  }

  private key(event: KeyboardEvent): void {
    const page = this.view.clientHeight - 2 * row_height;
    const step = { ArrowDown: row_height, ArrowUp: -row_height, PageDown: page, PageUp: -page, Home: -this.view.scrollHeight, End: this.view.scrollHeight }[event.key];
    if (step === undefined || event.target !== this.view) return;
    event.preventDefault();
    this.view.scrollTop += step;
  }

  // Paper has no scrolling: the first rows as shown, and how many there are.
  private draw_print(): void {
    clear(this.print);
    const columns = this.columns.filter((column) => ["name", "file", "lines", "executed_lines", "layer", "context"].includes(column.field));
    append(this.print, h("table", {}, h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", {}, column.title)))),
      h("tbody", {}, ...this.shown.slice(0, 40).map((row) => h("tr", {}, ...columns.map((column) => h("td", {}, row[column.field] === null ? "unknown" : visible(String(row[column.field])))))))),
      h("p", {}, `The first ${Math.min(40, this.shown.length)} of ${format.number(this.shown.length)} rows.`));
  }
}
