// The frame that every figure has: title, what it says, its controls, the drawing, its numbers as a table, downloads.
import * as echarts from "echarts/core";
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart, TreemapChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { Cell, csv, download } from "./csv";
import { append, Child, clear, h, visible } from "./dom";
import { Theme, current_theme, light } from "./theme";

echarts.use([
  BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart, TreemapChart, AriaComponent, GridComponent,
  LegendComponent, MarkAreaComponent, MarkLineComponent, SVGRenderer,
]);

export type Option = Record<string, unknown>;
export type Tip = [string, string][];

export interface Drawing {
  option: Option | null;  // null: there is nothing to draw, `note` says why
  height: number;
  header: string[];
  rows: Cell[][];
  summary: string;        // one sentence for those who do not see the drawing
  note?: Child[];         // under the drawing: what is missing or unknown
  tip?: (event: Record<string, any>) => Tip | null;
  click?: (event: Record<string, any>) => void;
}

// No double quotes: in a downloaded SVG this stands inside a style attribute as it is.
export const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

// What all charts have in common.
export function base_option(theme: Theme): Option {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: font, fontSize: 12.5, color: theme.ink },
  };
}
export function value_axis(theme: Theme, name: string, format: (v: number) => string): Option {
  return {
    type: "value", name, nameLocation: "end", nameTextStyle: { color: theme.muted, fontSize: 12 }, min: 0,
    axisLabel: { color: theme.muted, formatter: format }, splitLine: { lineStyle: { color: theme.rule } },
    axisLine: { show: false }, axisTick: { show: false },
  };
}
export function category_axis(theme: Theme, names: string[], more: Option = {}): Option {
  return {
    type: "category", data: names.map((name) => visible(name, 60)), axisLine: { lineStyle: { color: theme.faint } }, axisTick: { show: false },
    axisLabel: { color: theme.ink, interval: 0, ...(more.axisLabel as Option | undefined) },
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== "axisLabel")),
  };
}

const tooltip = h("div", { class: "tip", role: "status", hidden: true });

function show_tip(lines: Tip | null, event: MouseEvent | undefined): void {
  if (!lines || !event) {
    tooltip.hidden = true;
    return;
  }
  clear(tooltip);
  for (const [name, value] of lines) {
    append(tooltip, value === "" ? h("strong", {}, visible(name)) : h("div", {}, h("span", {}, visible(name)), h("b", {}, visible(value))));
  }
  if (!tooltip.isConnected) document.body.appendChild(tooltip);
  tooltip.hidden = false;
  const box = tooltip.getBoundingClientRect();
  const left = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 14 : event.clientX + 14;
  const top = Math.min(event.clientY + 14, innerHeight - box.height - 8);
  tooltip.style.left = `${Math.max(4, left)}px`;
  tooltip.style.top = `${Math.max(4, top)}px`;
}

export class Figure {
  readonly element: HTMLElement;
  private readonly stage = h("div", { class: "stage", role: "img" });
  private readonly note = h("p", { class: "note" });
  private readonly numbers = h("details", { class: "numbers" }, h("summary", {}, "Numbers"));
  private readonly controls = h("div", { class: "controls" });
  private chart: echarts.ECharts | null = null;
  private drawing: Drawing | null = null;

  constructor(readonly id: string, readonly title: string, says: Child[], private readonly draw: (theme: Theme) => Drawing,
              controls: Child[] = []) {
    append(this.controls, ...controls);
    this.element = h("figure", { id: `figure-${id}`, "aria-labelledby": `title-${id}` },
      h("figcaption", {}, h("h3", { id: `title-${id}` }, title), says.length > 0 && h("p", { class: "says" }, ...says)),
      h("div", { class: "bar" }, this.controls,
        h("div", { class: "downloads" },
          h("button", { type: "button", onclick: () => this.save_svg(), "aria-label": `Download ${title} as SVG` }, "SVG"),
          h("button", { type: "button", onclick: () => this.save_csv(), "aria-label": `Download ${title} as CSV` }, "CSV"))),
      this.stage, this.note, this.numbers);
    this.numbers.addEventListener("toggle", () => this.fill_numbers());
    figures.set(id, this);
  }

  refresh(): void {
    const drawing = this.draw(current_theme());
    this.drawing = drawing;
    this.stage.setAttribute("aria-label", `${this.title}. ${drawing.summary} The table "Numbers" has the values.`);
    clear(this.note);
    append(this.note, ...(drawing.note ?? []));
    this.note.hidden = !drawing.note || drawing.note.length === 0;
    this.stage.hidden = drawing.option === null;
    if (drawing.option !== null) this.paint(drawing);
    if (this.numbers.open) this.fill_numbers();
  }

  resize(): void {
    if (this.chart && !this.stage.hidden) this.chart.resize();
  }

  // What is drawn, for tests and for readers with a console.
  get current(): Drawing | null {
    return this.drawing;
  }
  csv(): string {
    return csv(this.drawing?.header ?? [], this.drawing?.rows ?? []);
  }
  svg(): string {
    // Always light: a downloaded figure goes into a paper.
    const drawing = this.draw(light);
    if (drawing.option === null) return "";
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: Math.max(760, this.stage.clientWidth), height: drawing.height });
    chart.setOption({ ...drawing.option, backgroundColor: "#ffffff" });
    const text = chart.renderToSVGString({ useViewBox: true });
    chart.dispose();
    return text;
  }

  private paint(drawing: Drawing): void {
    this.stage.style.height = `${drawing.height}px`;
    if (!this.chart) {
      this.chart = echarts.init(this.stage, null, { renderer: "svg", height: drawing.height });
      this.chart.on("mouseover", (event) => show_tip(this.drawing?.tip?.(event) ?? null, (event as any).event?.event));
      this.chart.on("mousemove", (event) => show_tip(this.drawing?.tip?.(event) ?? null, (event as any).event?.event));
      this.chart.on("mouseout", () => show_tip(null, undefined));
      this.chart.on("click", (event) => this.drawing?.click?.(event));
    }
    this.chart.resize({ height: drawing.height });
    this.chart.setOption(drawing.option as any, true);
  }

  private fill_numbers(): void {
    for (const old of this.numbers.querySelectorAll(".scroll")) old.remove();
    if (!this.numbers.open || !this.drawing) return;
    append(this.numbers, number_table(this.drawing.header, this.drawing.rows.slice(0, 500)));
    if (this.drawing.rows.length > 500) {
      append(this.numbers.lastChild as Node, h("p", {}, `The first 500 of ${this.drawing.rows.length} rows; the CSV has all.`));
    }
  }
  private save_svg(): void {
    const text = this.svg();
    if (text !== "") download(`hapmeter-${this.id}.svg`, "image/svg+xml", text);
  }
  private save_csv(): void {
    download(`hapmeter-${this.id}.csv`, "text/csv", this.csv());
  }
}

export const figures = new Map<string, Figure>();

export function number_table(header: string[], rows: Cell[][]): HTMLElement {
  const body = rows.map((row) => h("tr", {}, ...row.map((cell, column) => {
    const numeric = typeof cell === "number";
    const text = cell === null || cell === undefined ? "unknown" : numeric ? new Intl.NumberFormat("en", { maximumFractionDigits: 4 }).format(cell) : visible(String(cell));
    return column === 0 ? h("th", { scope: "row" }, text) : h("td", { class: numeric ? "n" : cell === null ? "unknown" : null }, text);
  })));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Numbers" },
    h("table", {}, h("thead", {}, h("tr", {}, ...header.map((name) => h("th", { scope: "col" }, visible(name))))), h("tbody", {}, ...body)));
}
