/** <source-card>: the passage behind a citation, beside the chip that has the pointer or the keyboard. One a page. */

import { placeBeside } from "../../../config/frontend/floating.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import { CitationChip } from "./citation-chip.ts";

const SHOW_AFTER_MS = 120;
/** Long enough to reach the card with the pointer. */
const HIDE_AFTER_MS = 160;

export class SourceCard extends HTMLElement {
  #name = make("strong", { class: "truncate" });
  #page = make("span", { class: "faint tabular" });
  #passage = make("p");
  #listeners = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #chip: CitationChip | null = null;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.setAttribute("role", "tooltip");
    this.id ||= "source-card";
    if (!this.hasChildNodes()) this.append(make("header", {}, this.#name, this.#page), this.#passage);
    document.addEventListener("pointerover", this.#onPointer, { signal });
    document.addEventListener("focusin", (event) => this.#expect(chipOf(event.target), 0), { signal });
    document.addEventListener("pointerdown", (event) => !this.contains(event.target as Node) && this.#hide(), { signal });
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#hide(), { signal });
    document.addEventListener("scroll", () => this.#hide(), { signal, capture: true, passive: true });
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#listeners.abort();
  }

  #onPointer = (event: PointerEvent): void => {
    if (event.pointerType !== "mouse" || this.contains(event.target as Node)) {
      if (this.contains(event.target as Node)) clearTimeout(this.#timer);
      return;
    }
    const chip = chipOf(event.target);
    if (chip || this.#chip) this.#expect(chip, chip ? SHOW_AFTER_MS : HIDE_AFTER_MS);
  };

  #expect(chip: CitationChip | null, delay: number): void {
    if (chip === this.#chip && chip) {
      clearTimeout(this.#timer);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (chip ? this.#show(chip) : this.#hide()), delay);
  }

  #show(chip: CitationChip): void {
    const { source } = chip;
    if (!source || !chip.isConnected) return;
    this.#chip?.firstElementChild?.removeAttribute("aria-describedby");
    this.#chip = chip;
    this.#name.textContent = source.name;
    this.#page.textContent = gettext("Page %(page)s", { page: source.page });
    this.#passage.textContent = source.text;
    this.showPopover();
    placeBeside(this, chip, "above", "centre");
    chip.firstElementChild?.setAttribute("aria-describedby", this.id);
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#chip?.firstElementChild?.removeAttribute("aria-describedby");
    this.#chip = null;
    if (this.matches(":popover-open")) this.hidePopover();
  }
}

function chipOf(target: EventTarget | null): CitationChip | null {
  const chip = (target as Element | null)?.closest?.("citation-chip");
  return chip instanceof CitationChip && chip.source ? chip : null;
}

customElements.define("source-card", SourceCard);
