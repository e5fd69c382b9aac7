import { Figure } from "./model";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const unknown = "unknown";

// 12,345; 3.14; an unknown figure says so.
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  const places = Math.abs(value) >= 100 || Number.isInteger(value) ? grouped : precise;
  return places.format(value).replace(/-/g, "\u2212");
}

export function percent(share: number | null): string {
  if (share === null) return unknown;
  const value = share * 100;
  const digits = value >= 99 && value < 100 ? 2 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\.0+$/, "")} %`;
}

// 1,234 [1,200 to 1,310]; the interval is left out when it is a point or not given.
export function estimate(figure: Figure): string {
  if (figure === null) return unknown;
  const interval = range(figure);
  return interval === null ? number(figure.value) : `${number(figure.value)} [${interval}]`;
}

export function range(figure: Figure): string | null {
  if (figure === null || (figure.low === null && figure.high === null)) return null;
  if (figure.low === figure.value && figure.high === figure.value) return null;
  return `${figure.low === null ? "?" : number(figure.low)} to ${figure.high === null ? "?" : number(figure.high)}`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1 << 20 ? `${precise.format(size / 1024)} KiB` : `${precise.format(size / (1 << 20))} MiB`;
}

export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${precise.format(value / 1e6)} M`;
  if (size >= 1e4) return `${precise.format(value / 1e3)} k`;
  return number(value);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
