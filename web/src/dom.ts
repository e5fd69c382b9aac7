// Builds the page's elements. Text is always a text node: no string of the data is ever parsed as markup.
export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: any) => void)>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, ...children);
  return element;
}

export function append(parent: Node, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  }
}

// Names of the measured system may hold control characters and bidirectional overrides, which could make the page
// show something else than what is there: they are shown as escapes. A name of absurd length is cut. And one that is
// a name of JavaScript's own gets an invisible end, for the chart library keeps texts as keys of plain objects.
export function visible(name: string, most = 400): string {
  const cut = name.length > most ? `${name.slice(0, most)}\u2026` : name;
  const own = /^(__proto__|constructor|prototype|toString|valueOf|hasOwnProperty)$/.test(cut) ? `${cut}\u00a0` : cut;
  return own.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) =>
    `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function clear(element: Element): void {
  element.replaceChildren();
}

// A labelled choice. `changed` is called with the chosen key.
export function choice(label: string, options: [string, string][], chosen: string, changed: (key: string) => void): HTMLElement {
  const select = h("select", { onchange: () => changed(select.value) });
  for (const [key, title] of options) append(select, h("option", { value: key, selected: key === chosen }, visible(title)));
  return h("label", { class: "choice" }, h("span", {}, label), select);
}

// A choice of few, all visible: a group of toggle buttons that the arrow keys move through.
export function segments(label: string, options: [string, string][], chosen: string, changed: (key: string) => void): HTMLElement {
  const group = h("div", { class: "segments", role: "radiogroup", "aria-label": label });
  const buttons = options.map(([key, title]) => {
    const button: HTMLButtonElement = h("button", {
      type: "button", role: "radio", "aria-checked": String(key === chosen), tabindex: key === chosen ? 0 : -1,
      onclick: () => pick(button, key),
    }, visible(title));
    return button;
  });
  const pick = (button: HTMLButtonElement, key: string) => {
    for (const other of buttons) {
      other.setAttribute("aria-checked", String(other === button));
      other.tabIndex = other === button ? 0 : -1;
    }
    changed(key);
  };
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = (now + step + buttons.length) % buttons.length;
    buttons[next].focus();
    pick(buttons[next], options[next][0]);
  });
  append(group, ...buttons);
  return group;
}
