// Beside the idle machine: in which share of windows each function of the HAP was seen, working and idle.
import { choice, h, visible } from "../dom";
import { Cell as CsvCell } from "../csv";
import { Drawing, Figure as Frame, base_option, value_axis } from "../figure";
import * as format from "../format";
import { Page, as_number, as_records, as_text, is_record } from "../model";
import { recording_title } from "../recordings";
import { Theme } from "../theme";

type Origin = [key: string, title: string, in_light: string, in_dark: string];
const origins: Origin[] = [
  ["workload", "owed to the workload", "#a33b1f", "#e07b4f"],
  ["undecided", "cannot be told", "#c99a4e", "#c99a4e"],
  ["background", "seen as often when idle", "#8fa3b5", "#5f7486"],
];

interface Seen {
  name: string;
  file: string | null;
  windows: number;
  idle: number;
  origin: string;
  ratio: Record<string, unknown>;
}

interface Baseline {
  recording: string;
  windows: number;
  idle_windows: number;
  functions: Seen[];
}

function count_of(value: unknown): number {
  return (is_record(value) ? as_number(value.count) : null) ?? 0;
}

function baseline_of(page: Page, index: number): Baseline | null {
  const from = page.reports[index].baseline;
  if (!is_record(from)) return null;
  return {
    recording: as_text(from.recording) ?? "unknown",
    windows: count_of(from.windows),
    idle_windows: count_of(from.idle_windows),
    functions: as_records(from.functions).map((one) => ({
      name: as_text(one.name) ?? "unknown", file: as_text(one.file), windows: as_number(one.windows) ?? 0, idle: as_number(one.idle_windows) ?? 0,
      origin: as_text(one.origin) ?? "unknown", ratio: is_record(one.ratio) ? one.ratio : {},
    })),
  };
}

export function has_baseline(page: Page): boolean {
  return page.reports.some((report) => is_record(report.baseline));
}

interface Spot {
  value: [number, number];
  names: string[];
  origin: string;
  symbolSize: number;
}

// Functions seen equally often are one spot, the larger the more they are.
function spots(seen: Seen[], baseline: Baseline): Spot[] {
  const found = new Map<string, Spot>();
  for (const one of seen) {
    const value: [number, number] = [one.idle / Math.max(1, baseline.idle_windows), one.windows / Math.max(1, baseline.windows)];
    const key = value.join();
    const spot = found.get(key) ?? { value, names: [], origin: one.origin, symbolSize: 0 };
    found.set(key, spot);
    spot.names.push(one.name);
  }
  for (const spot of found.values()) spot.symbolSize = Math.min(44, 5 + 2 * Math.sqrt(spot.names.length));
  return [...found.values()];
}

export function baseline(page: Page): Frame {
  const having = page.reports.map((_, index) => index).filter((index) => is_record(page.reports[index].baseline));
  let recording = having[0];
  const draw = (theme: Theme): Drawing => {
    const shown = baseline_of(page, recording) as Baseline;
    const of = (origin: string) => shown.functions.filter((one) => one.origin === origin);
    const counts = origins.map(([key, title]) => `${format.number(of(key).length)} ${title}`).join(", ");
    const share = (value: number) => `${Math.round(100 * value)} %`;
    return {
      option: {
        ...base_option(theme),
        legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 16, textStyle: { color: theme.ink } },
        grid: { left: 8, right: 40, top: 60, bottom: 34, containLabel: true },
        xAxis: { ...value_axis(theme, "of the idle windows", share), nameLocation: "middle", nameGap: 28, max: 1 },
        yAxis: { ...value_axis(theme, "of the serving windows", share), max: 1 },
        series: origins.map(([key, title, in_light, in_dark]) => ({
          type: "scatter", name: title, itemStyle: { color: theme.dark ? in_dark : in_light, opacity: 0.75 }, data: spots(of(key), shown),
        })),
      },
      height: 420,
      header: ["function", "file", "windows", "windows_of", "idle_windows", "idle_windows_of", "ratio", "ratio_low", "ratio_high", "origin"],
      rows: shown.functions.map((one): CsvCell[] => [one.name, one.file, one.windows, shown.windows, one.idle, shown.idle_windows,
        as_number(one.ratio.value), as_number(one.ratio.low), as_number(one.ratio.high), one.origin]),
      summary: `Of ${format.number(shown.functions.length)} functions ${counts}.`,
      note: [
        `Of ${format.number(shown.functions.length)} functions of the HAP ${counts}. Nothing is subtracted from any figure. The idle machine: `,
        h("code", {}, visible(shown.recording, 200)), ".",
      ],
      tip: (event) => event.data?.names === undefined ? null : tip_of(event.data as Spot, shown),
    };
  };
  const frame: Frame = new Frame("baseline", "What the idle machine runs too", [], draw, [
    having.length > 1 && choice("Recording", having.map((index): [string, string] => [String(index), recording_title(page, index)]), String(recording), (key) => { recording = Number(key); frame.refresh(); }),
  ]);
  return frame;
}

function tip_of(spot: Spot, shown: Baseline): [string, string][] {
  const most = 6;
  const more = spot.names.length - most;
  return [
    [`${spot.names.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`, ""],
    ["serving windows", `${Math.round(spot.value[1] * shown.windows)} of ${shown.windows}`],
    ["idle windows", `${Math.round(spot.value[0] * shown.idle_windows)} of ${shown.idle_windows}`],
  ];
}
