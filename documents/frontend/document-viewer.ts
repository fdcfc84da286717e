/* <document-viewer document="id" page="3" start="10" end="90">: a page of a document with the passage marked.

   Attributes in; `viewer:page` ({page, label, pages, name}) out once a page shows. Offsets are Unicode code points
   of the page's text, as citations count them. It shows what the server rendered into it, or fetches by itself.
   A page that has a picture (attribute `picture`) is shown as it looks, and as text for those who prefer that. */

import "./document-viewer.css";

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { icon } from "../../config/frontend/icon.ts";
import { formatNumber, gettext } from "../../config/frontend/words.ts";
import { showPicture, turnToPassage } from "./page-picture.ts";
import { showText } from "./page-text.ts";

interface PageAnswer {
  document: { id: string; name: string; pages: number };
  page: number;
  label: string;
  text: string;
  has_picture: boolean;
}

/** Narrower than this, the text of a printed page is below seven pixels. */
const READABLE_PX = 380;
/** How somebody prefers pages, remembered in this browser. */
const FORM_KEY = "viewer-form";

export interface ShownPage {
  page: number;
  label: string;
  pages: number;
  name: string;
}

class DocumentViewer extends HTMLElement {
  static observedAttributes = ["document", "page", "start", "end"];
  #listeners = new AbortController();
  #request = new AbortController();
  #drawing = new AbortController();
  #isOpen = false;
  #isDue = false;
  #pages = 0;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.#pages = Number(this.getAttribute("pages") ?? 0);
    this.addEventListener("click", this.#turn, { signal });
    this.addEventListener("submit", this.#jump, { signal });
    this.addEventListener("keydown", this.#key, { signal });
    this.#isOpen = true;
    this.addEventListener("change", this.#choose, { signal });
    if (this.querySelector(".viewer-text")) this.#dress();
    else this.#loadSoon();
  }

  disconnectedCallback(): void {
    this.#isOpen = false;
    this.#listeners.abort();
    this.#request.abort();
    this.#drawing.abort();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    // The attributes an element is born with come before it opens; only later ones are news.
    if (this.#isOpen && before !== after) this.#loadSoon();
  }

  /** Open page `n` of the document, without a passage. */
  showPage(n: number): void {
    const page = Math.max(1, Math.min(n, this.#pages || n));
    if (page === this.#page && !this.hasAttribute("start")) return;
    this.removeAttribute("start");
    this.removeAttribute("end");
    this.setAttribute("page", String(page));
  }

  get #page(): number {
    return Number(this.getAttribute("page") ?? 1) || 1;
  }

  /** Several attributes set one after the other are one load. */
  #loadSoon(): void {
    if (this.#isDue || !this.getAttribute("document")) return;
    this.#isDue = true;
    if (!this.childElementCount) this.append(skeleton());
    queueMicrotask(() => {
      this.#isDue = false;
      void this.#load();
    });
  }

  async #load(): Promise<void> {
    this.#request.abort();
    this.#drawing.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.setAttribute("aria-busy", "true");
    try {
      const answer = await callApi<PageAnswer>("GET", `/documents/${this.getAttribute("document")}/pages/${this.#page}`, undefined, signal);
      this.#pages = answer.document.pages;
      this.#show(answer);
    } catch (error) {
      if (!signal.aborted) this.#complain(error);
    } finally {
      if (!signal.aborted) this.removeAttribute("aria-busy");
    }
  }

  #show(answer: PageAnswer): void {
    const text = document.createElement("div");
    text.className = "viewer-text";
    text.tabIndex = -1;
    text.setAttribute("role", "document");
    text.setAttribute("aria-label", gettext("Page %(page)s", { page: answer.page }));
    text.append(...showText(answer.text, this.#offset("start"), this.#offset("end")));
    this.replaceChildren(this.#bar(answer), text);
    this.toggleAttribute("picture", answer.has_picture);
    const detail: ShownPage = { page: answer.page, label: answer.label, pages: this.#pages, name: answer.document.name };
    this.dispatchEvent(new CustomEvent("viewer:page", { detail, bubbles: true }));
    this.#dress();
  }

  /** Offer the page's picture beside its text, and show the one that is preferred. */
  #dress(): void {
    const hasPicture = this.hasAttribute("picture");
    if (hasPicture) this.querySelector(".viewer-bar")?.append(formSwitch(prefersText()));
    if (hasPicture && !prefersText()) void this.#showPicture();
    else {
      this.setAttribute("form", "text");
      this.#showMark();
    }
  }

  async #showPicture(): Promise<void> {
    this.#drawing.abort();
    this.#drawing = new AbortController();
    const { signal } = this.#drawing;
    this.setAttribute("form", "picture");
    this.querySelector(".viewer-frame")?.remove();
    const blank = document.createElement("div");
    blank.className = "viewer-frame viewer-sheet skeleton";
    this.querySelector(".viewer-text")?.before(blank);
    try {
      const id = this.getAttribute("document") ?? "";
      const sheet = await showPicture(id, this.#page, this.#offset("start"), this.#offset("end"), signal);
      blank.replaceWith(sheet);
      this.#showMark();
    } catch {
      // The text is there: a page that cannot be drawn is read.
      blank.remove();
      if (signal.aborted) return;
      this.setAttribute("form", "text");
      this.querySelector(".viewer-form")?.remove();
      this.#showMark();
    }
  }

  #choose = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (!input.closest(".viewer-form")) return;
    localStorage.setItem(FORM_KEY, input.value);
    this.querySelector(".viewer-frame")?.remove();
    if (input.value === "picture") void this.#showPicture();
    else {
      this.#drawing.abort();
      this.setAttribute("form", "text");
      this.#showMark();
    }
  };

  #offset(name: "start" | "end"): number | null {
    const value = this.getAttribute(name);
    return value && /^\d+$/.test(value) ? Number(value) : null;
  }

  #bar({ page, label }: PageAnswer): HTMLElement {
    const bar = document.createElement("div");
    bar.className = "viewer-bar";
    const form = document.createElement("form");
    form.className = "viewer-jump";
    const words = document.createElement("label");
    const input = document.createElement("input");
    input.className = "input";
    input.name = "page";
    input.inputMode = "numeric";
    input.autocomplete = "off";
    input.value = String(page);
    words.append(`${gettext("Page")} `, input);
    form.append(words, span("soft tabular", gettext("of %(pages)s", { pages: formatNumber(this.#pages) })));
    if (label) form.append(span("faint viewer-label", gettext("printed as %(label)s", { label })));
    bar.append(turn("prev", gettext("Previous page"), page > 1), form, turn("next", gettext("Next page"), page < this.#pages));
    return bar;
  }

  #showMark(): void {
    const mark = this.querySelector(this.getAttribute("form") === "picture" ? ".viewer-mark" : "mark");
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = mark?.closest<HTMLElement>(".viewer-frame");
    if (frame && this.clientWidth < READABLE_PX) {
      // A whole page on a phone is too small to read: there it opens close to the passage.
      frame.firstElementChild?.toggleAttribute("data-close", true);
      turnToPassage(frame);
    }
    if (mark) mark.scrollIntoView({ block: "center", inline: "nearest", behavior: isCalm ? "auto" : "smooth" });
    else if (this.scrollTop) this.scrollTop = 0;
  }

  #turn = (event: Event): void => {
    const link = (event.target as Element).closest<HTMLElement>(".viewer-bar [rel]");
    if (!link || (event as MouseEvent).ctrlKey || (event as MouseEvent).metaKey) return;
    event.preventDefault();
    if (link.getAttribute("aria-disabled") !== "true") this.#turnBy(link.getAttribute("rel") === "next" ? 1 : -1);
  };

  #jump = (event: Event): void => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem("page") as HTMLInputElement;
    const page = Number.parseInt(input.value, 10);
    if (Number.isNaN(page)) input.value = String(this.#page);
    else this.showPage(page);
  };

  #key = (event: KeyboardEvent): void => {
    if ((event.target as Element).matches("input") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft" || event.key === "PageUp") this.#turnBy(-1);
    else if (event.key === "ArrowRight" || event.key === "PageDown") this.#turnBy(1);
    else return;
    event.preventDefault();
  };

  /** Turn, and keep the keyboard where it was although the bar is drawn anew. */
  #turnBy(step: number): void {
    const focused = document.activeElement?.getAttribute("rel");
    this.addEventListener("viewer:page", () => {
      const target = focused ? `.viewer-bar [rel=${focused}]` : ".viewer-text";
      this.querySelector<HTMLElement>(target)?.focus({ preventScroll: true });
    }, { once: true });
    this.showPage(this.#page + step);
  }

  #complain(error: unknown): void {
    const notice = document.createElement("div");
    notice.className = "notice danger";
    notice.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = error instanceof ApiError ? error.message : gettext("This page could not be opened. Try again.");
    notice.append(icon("circle-alert"), words);
    this.replaceChildren(notice);
  }
}

function prefersText(): boolean {
  return localStorage.getItem(FORM_KEY) === "text";
}

/** Page or text: two radio buttons that look like one switch. */
function formSwitch(isText: boolean): HTMLElement {
  const group = document.createElement("fieldset");
  group.className = "viewer-form";
  group.setAttribute("aria-label", gettext("How the page is shown"));
  const choices = { picture: gettext("As printed"), text: gettext("As text") };
  for (const [value, words] of Object.entries(choices)) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "form";
    input.value = value;
    input.checked = (value === "text") === isText;
    label.append(input, span("", words));
    group.append(label);
  }
  return group;
}

function turn(rel: "prev" | "next", words: string, isPossible: boolean): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button small";
  button.setAttribute("rel", rel);
  button.setAttribute("aria-label", words);
  if (!isPossible) button.setAttribute("aria-disabled", "true");
  button.append(rel === "next" ? icon("chevron-right") : icon("chevron-left"));
  return button;
}

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function skeleton(): HTMLElement {
  const lines = document.createElement("div");
  lines.className = "viewer-waiting";
  for (let line = 0; line < 6; line += 1) lines.append(span("skeleton", ""));
  return lines;
}

customElements.define("document-viewer", DocumentViewer);
