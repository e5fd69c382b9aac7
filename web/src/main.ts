// Assembles the page: what it is about, what to know before reading, then one section per question.
import { accumulation } from "./charts/accumulation";
import { bars } from "./charts/bars";
import { baseline, has_baseline } from "./charts/baseline";
import { layers, stages } from "./charts/layers";
import { changes, folder_changes, gained_and_lost } from "./charts/difference";
import { exposure, has_exposure, record_table } from "./charts/ledger";
import { agreement, conclusions, probabilities, ranks, workloads_of } from "./charts/ranking";
import { sharing } from "./charts/sharing";
import { treemap } from "./charts/treemap";
import { cell_figure } from "./cells";
import { append, h, segments, visible } from "./dom";
import { Figure, figures } from "./figure";
import * as format from "./format";
import { Page, as_number, as_text, is_record, metrics, profiles, read_page } from "./model";
import { caveat_list, provenance } from "./provenance";
import { FunctionTable } from "./table";

interface Section {
  id: string;
  title: string;
  lead?: string;
  parts: HTMLElement[];
}

function one_or_many(values: string[], many: string): string {
  const distinct = [...new Set(values)];
  return distinct.length === 1 ? distinct[0] : `${distinct.length} ${many}`;
}

function masthead(page: Page): void {
  const sandboxes = page.reports.map((report) => report.sandbox);
  const workloads = page.reports.map((report) => report.workload);
  const title = page.reports.length === 0 ? "Attack profile"
    : `${one_or_many(workloads, "workloads")} in ${one_or_many(sandboxes, "sandboxes")}`;
  document.title = visible(`${title} \u2013 attack profile`);
  const facts = [
    format.plural(page.reports.length, "recording"),
    one_or_many(page.reports.map((report) => `${report.collector} collector`), "collectors"),
    one_or_many(page.reports.map((report) => `Linux ${(is_record(report.kernel) ? as_text(report.kernel.release) : null) ?? "unknown"}`), "kernels"),
  ];
  const head = document.getElementById("masthead") as HTMLElement;
  append(head,
    h("div", { class: "top" }, h("span", { class: "brand" }, "hapmeter"),
      segments("Appearance", [["auto", "Auto"], ["light", "Light"], ["dark", "Dark"]], "auto", (key) => {
        if (key === "auto") delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = key;
        refresh_all();
      })),
    h("p", { class: "kicker" }, "Attack profile"),
    h("h1", {}, visible(title)),
    h("p", { class: "facts" }, visible(facts.join(" \u00b7 "))));
}

// The plain figures, before any drawing.
function summary(page: Page): HTMLElement {
  const shown = Object.keys(metrics).filter((metric) => page.cells.some((cell) => cell_figure(page, cell, "hap", metric).figure !== null));
  const missing = Object.keys(metrics).filter((metric) => !shown.includes(metric));
  const box = h("div", {});
  const figure_cell = (figure: ReturnType<typeof cell_figure>, metric: string) => {
    const range = format.range(figure.figure);
    return h("td", { class: figure.figure === null ? "unknown" : "n", "data-metric": metric, "data-value": figure.figure?.value ?? "null" },
      format.number(figure.figure?.value), range !== null && h("small", {}, range));
  };
  if (page.cells.length === 1) {
    const cell = page.cells[0];
    const present = Object.keys(profiles).filter((profile) => ["hap", "hap_with_softirq", "vap"].includes(profile) || shown.some((metric) => cell_figure(page, cell, profile, metric).figure !== null));
    const rows = present.map((profile) => h("tr", {},
      h("th", { scope: "row" }, profiles[profile].title, h("small", {}, profiles[profile].says)), ...shown.map((metric) => figure_cell(cell_figure(page, cell, profile, metric), metric))));
    append(box, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Summary" }, h("table", { class: "summary", id: "summary" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""), ...shown.map((metric) => h("th", { scope: "col", class: "n" }, metrics[metric].title)))), h("tbody", {}, ...rows))));
  } else {
    append(box, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Summary" }, h("table", { class: "summary", id: "summary" },
      h("caption", {}, "HAP: host kernel and hypervisor, on the tenant's behalf, while serving"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "sandbox"), h("th", { scope: "col" }, "workload"), ...shown.map((metric) => h("th", { scope: "col", class: "n" }, metrics[metric].title)), h("th", { scope: "col", class: "n" }, "Recordings"))),
      h("tbody", {}, ...page.cells.map((cell) => h("tr", {}, h("th", { scope: "row" }, visible(cell.sandbox)), h("td", {}, visible(cell.workload)),
        ...shown.map((metric) => figure_cell(cell_figure(page, cell, "hap", metric), metric)), h("td", { class: "n" }, String(cell.reports.length))))))));
  }
  if (missing.length > 0) append(box, h("p", { class: "note" }, `Unknown in every recording: ${missing.map((metric) => metrics[metric].title.toLowerCase()).join(", ")}.`));
  return box;
}

function refresh_all(): void {
  for (const figure of figures.values()) if (figure.element.isConnected) figure.refresh();
}

function build(page: Page): void {
  masthead(page);
  const waiting: (() => void)[] = [];
  const later = (figure: Figure) => { waiting.push(() => figure.refresh()); return figure.element; };
  const sections: Section[] = [];
  const compared = workloads_of(page);
  const sentences = conclusions(page, compared);
  if (page.reports.length > 0) {
    const table = new FunctionTable(page);
    const several = page.cells.some((cell) => page.cells.some((other) => other !== cell && other.workload === cell.workload));
    sections.push({ id: "summary-section", title: "In short", parts: [...sentences, summary(page), h("h3", {}, "Before you read the numbers"), caveat_list(page)] });
    if (page.difference !== null) sections.push({ id: "difference", title: "Difference", parts: [changes(page), later(gained_and_lost(page)), folder_changes(page)] });
    sections.push({ id: "exposure", title: "Exposure", parts: [later(bars(page)), later(layers(page)), later(stages(page))] });
    if (compared.length > 0) sections.push(ranking_section());
    sections.push({ id: "code", title: "The code", parts: [later(treemap(page)), ...(several ? [later(sharing(page, (names, title) => table.choose(names, title)))] : [])] });
    if (has_exposure(page)) {
      const records = record_table(page);
      sections.push({ id: "vulnerabilities", title: "Vulnerabilities", parts: [later(exposure(page)), ...(records ? [records] : [])] });
    }
    sections.push({ id: "trust", title: "Completeness", parts: [later(accumulation(page)), ...(has_baseline(page) ? [later(baseline(page))] : [])] });
    waiting.push(() => table.load());
    sections.push({ id: "functions", title: "Functions", parts: [table.element] });
    sections.push({ id: "provenance", title: "Provenance and losses", parts: [provenance(page)] });
    Object.assign(window, { hapmeter: { page, figures, table } });
  } else if (page.difference !== null) {
    sections.push({ id: "difference", title: "Difference", parts: [changes(page), later(gained_and_lost(page)), folder_changes(page)] });
    Object.assign(window, { hapmeter: { page, figures } });
  } else if (compared.length > 0) {
    sections.push({ id: "summary-section", title: "In short", parts: sentences });
    sections.push(ranking_section());
    Object.assign(window, { hapmeter: { page, figures } });
  }
  function ranking_section(): Section {
    const settings = is_record(page.comparison?.settings) ? page.comparison.settings : {};
    return { id: "ranking", title: "Ranking", parts: [later(ranks(compared)), later(probabilities(compared, as_number(settings.confidence))), later(agreement(compared))] };
  }
  const content = document.getElementById("content") as HTMLElement;
  const contents = document.getElementById("contents") as HTMLElement;
  content.replaceChildren();
  for (const section of sections) {
    append(contents, h("a", { href: `#${section.id}` }, section.title));
    append(content, h("section", { id: section.id, "aria-labelledby": `${section.id}-title` }, h("h2", { id: `${section.id}-title` }, section.title), section.lead ? h("p", { class: "lead" }, section.lead) : null, ...section.parts));
  }
  append(document.getElementById("colophon") as HTMLElement, h("p", {},
    `Made by hapmeter from ${format.plural(page.reports.length, "recording")}. This file holds all its data (${format.bytes(page.size)}) and loads nothing. Charts: Apache ECharts, Apache License 2.0.`));

  // The first figure at once, the others one by one, so that the page is there before all of it is drawn.
  const next = () => {
    try {
      waiting.shift()?.();
    } catch (error) {
      // One figure that cannot be drawn must not take the others with it.
      append(content, h("p", { class: "broken", role: "alert" }, `A figure cannot be drawn: ${visible(String(error))}`));
      console.error(error);
    }
    if (waiting.length > 0) setTimeout(next, 0);
    else document.documentElement.dataset.ready = "true";
  };
  next();
  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = window.setTimeout(() => { for (const figure of figures.values()) figure.resize(); }, 120);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh_all);
  let theme: string | undefined;
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    refresh_all();
  });
  addEventListener("afterprint", () => {
    if (theme === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    refresh_all();
  });
}

try {
  build(read_page());
} catch (error) {
  append(document.getElementById("content") as HTMLElement, h("p", { class: "broken", role: "alert" }, `This report cannot be shown: ${visible(String(error))}`));
  throw error;
}
