/** Making elements without strings of HTML. */

type Listener = (event: Event) => void;
type Property = string | number | boolean | null | undefined | Listener;

/** An element with attributes, `on…` listeners and children. True is an empty attribute; false and null are none. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties?: Record<string, Property>,
  ...children: (Node | string | null | undefined)[]
): HTMLElementTagNameMap[K];
export function make(tag: string, properties?: Record<string, Property>, ...children: (Node | string | null | undefined)[]): HTMLElement;
export function make(tag: string, properties: Record<string, Property> = {}, ...children: (Node | string | null | undefined)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A button that shows only an icon; its words are for screen readers and the tooltip. */
export function iconButton(words: string, image: SVGSVGElement, run: Listener, className = "icon-button small"): HTMLButtonElement {
  return make("button", { type: "button", class: className, "aria-label": words, onclick: run }, image);
}

/** A character's portrait, or the first letter of a name where there is no picture. */
export function portrait(name: string, url: string | null | undefined, className = ""): HTMLElement {
  const classes = `avatar ${className}`.trim();
  if (url) return make("img", { class: classes, src: url, alt: "", width: 64, height: 64, decoding: "async", loading: "lazy" });
  return make("span", { class: classes, "aria-hidden": "true" }, [...name.trim()][0] ?? "·");
}

/** Whether an element stands in a message far from the screen, where words do and colours and formulas can wait. */
export function isPlain(element: Element): boolean {
  return element.closest("[data-plain]") !== null;
}

/** Tells the elements around about something; true unless one of them refused it. */
export function tell<T>(element: EventTarget, name: string, detail: T): boolean {
  return element.dispatchEvent(new CustomEvent<T>(name, { detail, bubbles: true, cancelable: true }));
}
