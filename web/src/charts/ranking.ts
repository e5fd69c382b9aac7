// Does the order of the sandboxes survive the choices made? From the comparison (docs/compare.schema.json).
import { choice, h, visible } from "../dom";
import { Cell } from "../csv";
import { Drawing, Figure as Frame, base_option, category_axis } from "../figure";
import * as format from "../format";
import { Page, as_list, as_number, as_records, as_text, entry, metrics } from "../model";
import { Theme } from "../theme";

export interface Ranking {
  scope: string;
  metric: string;
  model: string | null;
  order: { sandbox: string; value: number | null; low: number | null; high: number | null; span_low: number | null; span_high: number | null }[];
  unknown: string[];
  pairs: { lower: string; higher: string; probability: number | null }[];
}
export interface Workload {
  workload: string;
  sandboxes: string[];
  rankings: Ranking[];
  agreement: { scope: string; a: string; b: string; tau: number | null }[];
  pairs: { a: string; b: string; verdict: string; lower: number; higher: number; told: number; of: number }[];
  conclusions: string[];
}

const texts = (value: unknown) => as_list(value).map(String);

export function workloads_of(page: Page): Workload[] {
  return as_records(page.comparison?.workloads).map((one) => ({
    workload: as_text(one.workload) ?? "unknown",
    sandboxes: texts(one.sandboxes),
    rankings: as_records(one.rankings).map((ranking) => ({
      scope: String(ranking.scope), metric: String(ranking.metric), model: as_text(ranking.model),
      order: as_records(ranking.order).map((entry) => {
        const span = as_records([entry.span])[0] ?? {};
        return { sandbox: String(entry.sandbox), value: as_number(entry.value), low: as_number(entry.low), high: as_number(entry.high), span_low: as_number(span.low), span_high: as_number(span.high) };
      }),
      unknown: texts(ranking.unknown),
      pairs: as_records(ranking.pairs).map((pair) => ({ lower: String(pair.lower), higher: String(pair.higher), probability: as_number(pair.probability) })),
    })),
    agreement: as_records(one.agreement).map((entry) => ({ scope: String(entry.scope), a: String(entry.a), b: String(entry.b), tau: as_number(entry.tau_b) })),
    pairs: as_records(one.pairs).map((pair) => ({
      a: String(pair.a), b: String(pair.b), verdict: String(pair.verdict), lower: as_number(pair.a_lower_by_value) ?? 0, higher: as_number(pair.b_lower_by_value) ?? 0,
      told: as_list(pair.a_below).length + as_list(pair.b_below).length, of: as_list(pair.a_below).length + as_list(pair.b_below).length + as_list(pair.not_told).length,
    })),
    conclusions: texts(one.conclusions),
  }));
}

export function ranking_title(ranking: Ranking): string {
  const metric = entry(metrics, ranking.metric)?.title ?? ranking.metric;
  return `${metric}${ranking.model ? `, ${ranking.model}` : ""}${ranking.scope === "hap_with_softirq" ? " (with softirq)" : ""}`;
}

// Rank 1 exposes least. A light sequential scale of one hue: readable in print and without colour vision.
function shade(share: number, theme: Theme): string {
  const from = theme.dark ? [34, 52, 66] : [232, 240, 247];
  const to = theme.dark ? [120, 178, 226] : [24, 84, 138];
  return `rgb(${from.map((value, at) => Math.round(value + (to[at] - value) * share)).join(",")})`;
}
const on = (share: number, theme: Theme) => (theme.dark ? (share > 0.55 ? "#10151a" : theme.ink) : share > 0.5 ? "#ffffff" : theme.ink);

export function ranks(all: Workload[]): Frame {
  let nth = 0;
  const draw = (theme: Theme): Drawing => {
    const { sandboxes, rankings, workload } = all[nth];
    const mean_rank = (sandbox: string) => {
      const found = rankings.map((ranking) => ranking.order.findIndex((entry) => entry.sandbox === sandbox)).filter((rank) => rank >= 0);
      return found.length === 0 ? Infinity : found.reduce((sum, rank) => sum + rank, 0) / found.length;
    };
    const columns = [...sandboxes].sort((a, b) => mean_rank(a) - mean_rank(b));
    const rows = [...rankings.keys()].reverse();
    const data = rows.flatMap((ranking, y) => columns.map((sandbox, x) => {
      const rank = rankings[ranking].order.findIndex((entry) => entry.sandbox === sandbox);
      const share = columns.length < 2 ? 0 : Math.max(0, rank) / (columns.length - 1);
      return { value: [x, y, rank < 0 ? "-" : rank + 1], ranking, sandbox, rank,
        itemStyle: { color: rank < 0 ? "transparent" : shade(share, theme) }, label: { color: rank < 0 ? theme.warn : on(share, theme) } };
    }));
    const same = rankings.every((ranking) => ranking.order.every((entry, at) => at === 0 || columns.indexOf(ranking.order[at - 1].sandbox) < columns.indexOf(entry.sandbox)));
    return {
      option: rankings.length === 0 ? null : {
        ...base_option(theme),
        grid: { left: 8, right: 8, top: 30, bottom: 8, containLabel: true },
        xAxis: { ...category_axis(theme, columns, { axisLabel: { width: 120, overflow: "truncate" } }), position: "top", axisLine: { show: false } },
        yAxis: { ...category_axis(theme, rows.map((at) => ranking_title(rankings[at]))), axisLine: { show: false } },
        series: [{ type: "heatmap", data, itemStyle: { borderColor: theme.surface, borderWidth: 2 }, label: { show: true, fontSize: 12.5, formatter: (p: any) => (p.data.rank < 0 ? "unknown" : String(p.data.rank + 1)) } }],
      },
      height: 56 + 28 * rankings.length,
      header: ["workload", "scope", "metric", "model", "rank", "sandbox", "value", "low", "high"],
      rows: rankings.flatMap((ranking) => ranking.order.map((entry, rank): Cell[] => [workload, ranking.scope, ranking.metric, ranking.model, rank + 1, entry.sandbox, entry.value, entry.low, entry.high])),
      summary: `${rankings.length} rankings of ${sandboxes.length} sandboxes; by the means alone they ${same ? "all agree" : "do not all agree"}.`,
      note: [`Rank 1 exposes least. One row for each metric, density model and way of counting softirqs; by the means alone the rows ${same ? "all agree" : "do not all agree"}. `],
      tip: (event) => {
        if (event.data?.ranking === undefined) return null;
        const ranking = rankings[event.data.ranking];
        const entry = ranking.order[event.data.rank];
        return [[`${event.data.sandbox}: ${ranking_title(ranking)}`, ""], ["rank", entry ? String(event.data.rank + 1) : "unknown"], ["value", entry ? format.estimate(entry.value === null ? null : { value: entry.value, low: entry.low, high: entry.high }) : "unknown"]];
      },
    };
  };
  const frame: Frame = new Frame("ranking", "Does the ranking survive?", [], draw, [
    all.length > 1 && choice("Workload", all.map((one, at) => [String(at), one.workload]), "0", (key) => { nth = Number(key); frame.refresh(); }),
  ]);
  return frame;
}

export function probabilities(all: Workload[], confidence: number | null): Frame {
  let nth = 0;
  let which = 0;
  const draw = (theme: Theme): Drawing => {
    const ranking = all[nth].rankings[Math.min(which, all[nth].rankings.length - 1)];
    const names = ranking.order.map((entry) => entry.sandbox);
    const probability = (a: string, b: string): number | null | undefined => {
      const pair = ranking.pairs.find((one) => (one.lower === a && one.higher === b) || (one.lower === b && one.higher === a));
      if (!pair) return undefined;
      return pair.probability === null ? null : pair.lower === a ? pair.probability : 1 - pair.probability;
    };
    const rows = [...names.keys()].reverse();
    const data = rows.flatMap((row, y) => names.map((column, x) => {
      const value = row === x ? undefined : probability(names[row], column);
      const share = value ?? 0;
      return { value: [x, y, value ?? "-"], pair: [names[row], column], probability: value, itemStyle: { color: value === undefined || value === null ? "transparent" : shade(share, theme) }, label: { color: value === null ? theme.warn : on(share, theme) } };
    }));
    const untold = ranking.pairs.filter((pair) => pair.probability === null).length;
    return {
      option: names.length < 2 ? null : {
        ...base_option(theme),
        grid: { left: 8, right: 8, top: 30, bottom: 8, containLabel: true },
        xAxis: { ...category_axis(theme, names, { axisLabel: { width: 120, overflow: "truncate" } }), position: "top", axisLine: { show: false } },
        yAxis: { ...category_axis(theme, rows.map((row) => names[row])), axisLine: { show: false } },
        series: [{ type: "heatmap", data, itemStyle: { borderColor: theme.surface, borderWidth: 2 }, label: { show: true, formatter: (p: any) => (p.data.probability === undefined ? "" : p.data.probability === null ? "?" : p.data.probability.toFixed(2)) } }],
      },
      height: 56 + 32 * names.length,
      header: ["workload", "ranking", "lower", "higher", "probability"],
      rows: ranking.pairs.map((pair) => [all[nth].workload, ranking_title(ranking), pair.lower, pair.higher, pair.probability]),
      summary: `Probability that the sandbox of the row is below that of the column, ${ranking_title(ranking)}.`,
      note: [
        `The probability that the sandbox of the row exposes less than that of the column, from boots and repeats${confidence === null ? "" : `; from ${confidence} on the order counts as told`}. `,
        untold > 0 && h("span", { class: "gap" }, `Unknown for ${format.plural(untold, "pair")}: too few boots to say.`),
        ranking.unknown.length > 0 && h("span", { class: "gap" }, ` Not ranked, for the figure is unknown: ${visible(ranking.unknown.join(", "))}.`),
      ],
      tip: (event) => event.data?.pair && event.data.probability !== undefined ? [[`${event.data.pair[0]} below ${event.data.pair[1]}`, ""], ["probability", event.data.probability === null ? "unknown" : event.data.probability.toFixed(3)]] : null,
    };
  };
  const frame: Frame = new Frame("probabilities", "Which is below which, and how surely", [], draw, [
    all.length > 1 && choice("Workload", all.map((one, at) => [String(at), one.workload]), "0", (key) => { nth = Number(key); frame.refresh(); }),
    choice("Ranking", (all[0]?.rankings ?? []).map((ranking, at) => [String(at), ranking_title(ranking)]), "0", (key) => { which = Number(key); frame.refresh(); }),
  ]);
  return frame;
}

export function agreement(all: Workload[]): Frame {
  let nth = 0;
  const draw = (theme: Theme): Drawing => {
    const entries = all[nth].agreement.filter((entry) => entry.scope === "hap");
    const names = [...new Set(entries.flatMap((entry) => [entry.a, entry.b]))];
    const tau = (a: string, b: string) => entries.find((entry) => (entry.a === a && entry.b === b) || (entry.a === b && entry.b === a));
    const rows = [...names.keys()].reverse();
    const data = rows.flatMap((row, y) => names.flatMap((column, x) => {
      const entry = row > x ? tau(names[row], column) : undefined;
      if (!entry) return [];
      const share = entry.tau === null ? 0 : (entry.tau + 1) / 2;
      return [{ value: [x, y, entry.tau ?? "-"], entry, itemStyle: { color: entry.tau === null ? "transparent" : shade(share, theme) }, label: { color: entry.tau === null ? theme.warn : on(share, theme) } }];
    }));
    return {
      option: names.length < 2 ? null : {
        ...base_option(theme),
        grid: { left: 210, right: 8, top: 8, bottom: 74 },
        xAxis: { ...category_axis(theme, names.map((name) => name.replace(/_/g, " ")), { axisLabel: { rotate: 28, fontSize: 11.5 } }), axisLine: { show: false } },
        yAxis: { ...category_axis(theme, rows.map((row) => names[row].replace(/_/g, " "))), axisLine: { show: false } },
        series: [{ type: "heatmap", data, itemStyle: { borderColor: theme.surface, borderWidth: 2 }, label: { show: true, formatter: (p: any) => (p.data.entry.tau === null ? "?" : p.data.entry.tau.toFixed(2)) } }],
      },
      height: 100 + 28 * names.length,
      header: ["workload", "scope", "a", "b", "tau_b"],
      rows: all[nth].agreement.map((entry) => [all[nth].workload, entry.scope, entry.a, entry.b, entry.tau]),
      summary: `Kendall's tau between ${names.length} rankings.`,
      note: ["Kendall's tau-b between the rankings by each metric and density model: 1 is the same order, \u22121 the reverse. Without softirqs; the CSV has both. "],
      tip: (event) => event.data?.entry ? [[`${event.data.entry.a} and ${event.data.entry.b}`, ""], ["tau-b", event.data.entry.tau === null ? "unknown" : event.data.entry.tau.toFixed(3)]] : null,
    };
  };
  const frame: Frame = new Frame("agreement", "How far the metrics agree", [], draw, [
    all.length > 1 && choice("Workload", all.map((one, at) => [String(at), one.workload]), "0", (key) => { nth = Number(key); frame.refresh(); }),
  ]);
  return frame;
}

// The comparison in sentences, as `hap compare` prints them.
export function conclusions(page: Page, all: Workload[]): HTMLElement[] {
  const lists: HTMLElement[] = [];
  const whole = texts(page.comparison?.conclusions);
  const add = (title: string | null, sentences: string[]) => {
    if (sentences.length === 0) return;
    if (title !== null) lists.push(h("h3", {}, visible(title)));
    lists.push(h("ul", { class: "conclusions" }, ...sentences.map((sentence) => h("li", {}, visible(sentence)))));
  };
  add(null, whole);
  for (const one of all) add(all.length > 1 ? one.workload : null, one.conclusions);
  add(lists.length > 0 ? "What limits the comparison" : null, texts(page.comparison?.notes));
  return lists;
}
