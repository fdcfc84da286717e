/** <source-drawer>: on the right, the sources of a message, and one of them open at its marked page.
 *
 *  Beside the thread on wide screens, over it on narrow ones. Closing gives the focus back to what opened it.
 *  Tells `drawer-toggle` with whether it is open.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import "../../../documents/frontend/document-viewer.ts";
import { make, tell } from "../dom.ts";
import type { Source } from "../protocol.ts";

export class SourceDrawer extends HTMLElement {
  #sources: Source[] = [];
  #chosen = 0;
  #opener: HTMLElement | null = null;

  connectedCallback(): void {
    this.querySelector("[data-close]")?.addEventListener("click", () => this.close());
    for (const button of this.#steps?.querySelectorAll<HTMLElement>("[data-step]") ?? []) {
      button.addEventListener("click", () => this.#step(Number(button.dataset["step"])));
    }
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get #steps(): HTMLElement | null {
    return this.querySelector(".drawer-steps");
  }

  get isOpen(): boolean {
    return !this.hidden;
  }

  /** Open at one source of a message; the list shows the others. */
  open(sources: Source[], chosen: Source): void {
    if (!this.isOpen) this.#opener = document.activeElement as HTMLElement | null;
    this.#sources = sources;
    this.hidden = false;
    this.#choose(chosen);
    this.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true });
    tell(this, "drawer-toggle", true);
  }

  close(): void {
    if (!this.isOpen) return;
    this.hidden = true;
    tell(this, "drawer-toggle", false);
    this.querySelector(".drawer-page")?.replaceChildren();
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
    this.#opener = null;
  }

  /** The source before or after the one that shows, around the end. */
  #step(by: number): void {
    const count = this.#sources.length;
    const next = this.#sources[(this.#chosen + by + count) % count];
    if (next) this.#choose(next);
  }

  #choose(chosen: Source): void {
    this.#chosen = Math.max(0, this.#sources.indexOf(chosen));
    const steps = this.#steps;
    if (steps) {
      steps.hidden = this.#sources.length < 2;
      const words = gettext("%(n)s of %(count)s", { n: this.#chosen + 1, count: this.#sources.length });
      steps.querySelector("span")?.replaceChildren(words);
    }
    const items = this.#sources.map((source) => this.#item(source, source === chosen));
    this.querySelector(".drawer-sources")?.replaceChildren(...items);
    const { document: id, page, start, end } = chosen;
    const viewer = make("document-viewer", { document: id, page, start, end });
    this.querySelector(".drawer-page")?.replaceChildren(viewer);
    this.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  #item(source: Source, isChosen: boolean): HTMLElement {
    const choose = () => {
      this.#choose(source);
      this.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true });
    };
    const words = make(
      "span",
      { class: "drawer-words" },
      make("span", { class: "truncate" }, source.name),
      make("small", { class: "faint" }, gettext("Page %(page)s", { page: source.page })),
    );
    const properties = { type: "button", class: "drawer-source", "aria-current": isChosen ? "true" : null, onclick: choose };
    return make("li", {}, make("button", properties, make("span", { class: "cite" }, String(source.n)), words, icon("chevron-right")));
  }
}

customElements.define("source-drawer", SourceDrawer);
