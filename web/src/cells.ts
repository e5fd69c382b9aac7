// One figure for the recordings of a cell.
import { Cell, Figure, Page, as_text, figure_of, why_unknown } from "./model";
import { Ranking, workloads_of } from "./charts/ranking";

export interface CellFigure {
  figure: Figure;
  known: number;       // recordings in which the figure is known
  recordings: number;
  why: string | null;  // of an unknown figure
  // What the interval is: of the mean, from boots and repeats (the comparison's); or only what losses and unseen
  // code leave open, from the smallest low to the largest high of the recordings.
  compared: boolean;
}

export function cell_figure(page: Page, cell: Cell, profile: string, metric: string): CellFigure {
  const figures = cell.reports.map((index) => figure_of(page.reports[index], profile, metric));
  const known = figures.filter((figure) => figure !== null);
  const why = known.length > 0 ? null : why_unknown(page.reports[cell.reports[0]] ?? ({} as never), profile, metric);
  const count = { known: known.length, recordings: cell.reports.length, why };
  const compared = from_comparison(page, cell, profile, metric);
  if (compared !== null) return { figure: compared, ...count, compared: true };
  if (known.length === 0) return { figure: null, ...count, compared: false };
  const value = known.reduce((sum, figure) => sum + figure.value, 0) / known.length;
  const low = Math.min(...known.map((figure) => figure.low ?? figure.value));
  const high = Math.max(...known.map((figure) => figure.high ?? figure.value));
  return { figure: { value, low, high }, ...count, compared: false };
}

let rankings: Map<string, Ranking> | null = null;

function from_comparison(page: Page, cell: Cell, profile: string, metric: string): Figure {
  if (rankings === null) {
    rankings = new Map();
    for (const workload of workloads_of(page)) {
      for (const ranking of workload.rankings) {
        // Of the density models, the one that the reports used.
        if (ranking.model !== null && ranking.model !== (as_text(page.reports[0]?.expected_bugs_model) ?? "uniform")) continue;
        rankings.set(JSON.stringify([workload.workload, ranking.scope, ranking.metric]), ranking);
      }
    }
  }
  const entry = rankings.get(JSON.stringify([cell.workload, profile, metric]))?.order.find((one) => one.sandbox === cell.sandbox);
  if (!entry || entry.value === null || entry.low === null || entry.high === null) return null;
  return { value: entry.value, low: entry.low, high: entry.high };
}
