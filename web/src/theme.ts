// Colours. Sandboxes of one family share a hue, so that a picture says "containers against machines" before a name
// is read; within a family the lightness differs, which also holds for readers who do not tell hues apart.
export interface Theme {
  dark: boolean;
  ink: string;
  muted: string;
  faint: string;
  rule: string;
  surface: string;
  accent: string;
  warn: string;
}

export const light: Theme = {
  dark: false, ink: "#1d2126", muted: "#59616b", faint: "#8b929b", rule: "#dfe2e6", surface: "#ffffff", accent: "#155e9c",
  warn: "#a8470a",
};
export const dark: Theme = {
  dark: true, ink: "#e8eaed", muted: "#a7aeb8", faint: "#7b838e", rule: "#363c44", surface: "#1a1d21", accent: "#7fb8ea",
  warn: "#f0a36b",
};

const families: [RegExp, string[], string[]][] = [
  [/^bare/, ["#6f7782", "#9aa1aa"], ["#8f98a3", "#b9c0c8"]],
  [/^(lxc|app-container|docker|podman|crun|runc|oci)/,
    ["#0d4a80", "#2474b5", "#5b9fd6", "#9cc8ec", "#12355b"], ["#3f83c4", "#6ba6dd", "#99c5ee", "#c8e0f7", "#2c6399"]],
  [/^gvisor/, ["#8a3d00", "#cc6a14", "#eea85b"], ["#c77532", "#e8954a", "#f6c48d"]],
  [/^(kvm|qemu)/, ["#11633c", "#46a173", "#8fcbab"], ["#3c9a6b", "#6fc297", "#a9dfc2"]],
  [/^xen/, ["#6a3d95", "#a585c6"], ["#a37ccb", "#cbb2e4"]],
  [/^kata/, ["#9c2f68", "#d182a9"], ["#cc6b9d", "#e6acc8"]],
  [/^nabla/, ["#857008"], ["#c4ad3d"]],
];
const others: [string[], string[]] = [
  ["#3d6b6b", "#7a5c3e", "#8a2f2f", "#5d6d1e", "#4b4b8f"], ["#74aaaa", "#b8946f", "#cf7b7b", "#a3b55a", "#9393d6"],
];

// The same name has the same colour throughout the page.
export function sandbox_colors(names: string[], theme: Theme): Map<string, string> {
  const used = new Map<number, number>();
  const colors = new Map<string, string>();
  for (const name of names) {
    let family = families.findIndex(([pattern]) => pattern.test(name));
    if (family < 0) family = families.length;
    const [in_light, in_dark] = family < families.length ? families[family].slice(1) as [string[], string[]] : others;
    const shades = theme.dark ? in_dark : in_light;
    const nth = used.get(family) ?? 0;
    used.set(family, nth + 1);
    colors.set(name, shades[nth % shades.length]);
  }
  return colors;
}

// From the tenant's own code, which endangers nobody else, to code whose compromise crosses to others.
export function layer_color(layer: string, theme: Theme): string {
  const shades: Record<string, [string, string]> = {
    application: ["#d5d9de", "#4a515a"],
    "guest-kernel": ["#b3c7bb", "#5d7a69"],
    sandbox: ["#7fa69a", "#7fa69a"],
    "host-daemon": ["#e0b77a", "#c49a5c"],
    "host-kernel": ["#c2562d", "#e07b4f"],
    hypervisor: ["#7d1d1d", "#b5483f"],
  };
  const pair = Object.prototype.hasOwnProperty.call(shades, layer) ? shades[layer] : undefined;
  if (!pair) return theme.faint;
  return pair[theme.dark ? 1 : 0];
}

export const subsystem_hues: [string[], string[]] = [
  ["#3a6ea5", "#b5651d", "#4f8a5b", "#8a5a9e", "#a34d5b", "#5f7d8c", "#8c7a2e", "#6b6f76"],
  ["#5f93c9", "#cf8443", "#6fae7c", "#ad80c0", "#c6717f", "#86a6b5", "#b5a24e", "#8f949c"],
];

export function current_theme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "dark") return dark;
  if (chosen === "light") return light;
  return matchMedia("(prefers-color-scheme: dark)").matches ? dark : light;
}
