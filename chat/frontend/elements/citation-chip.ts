/** <citation-chip>: a numbered chip for a source. It asks the elements around it, by a `citation-find` event,
 *  whether its number is a source of this message; a number that is none stays the text it was. */

import { gettext } from "../../../config/frontend/words.ts";
import { make, tell } from "../dom.ts";
import type { Source } from "../protocol.ts";

export interface CitationQuestion {
  n: number;
  source: Source | null;
}

export class CitationChip extends HTMLElement {
  #n = 0;
  #source: Source | null = null;

  get n(): number {
    return this.#n;
  }

  set n(n: number) {
    this.#n = n;
    if (this.isConnected) this.refresh();
  }

  get source(): Source | null {
    return this.#source;
  }

  connectedCallback(): void {
    this.refresh();
  }

  /** Look the number up again: sources may come after the text. */
  refresh(): void {
    const question: CitationQuestion = { n: this.#n, source: null };
    tell(this, "citation-find", question);
    this.#source = question.source;
    if (!question.source) {
      this.replaceChildren(`[${this.#n}]`);
      return;
    }
    const { name, page } = question.source;
    const label = gettext("Source %(n)s: %(name)s, page %(page)s", { n: this.#n, name, page });
    const open = () => tell(this, "citation-open", question.source);
    this.replaceChildren(make("button", { type: "button", class: "cite", "aria-label": label, onclick: open }, String(this.#n)));
  }
}

customElements.define("citation-chip", CitationChip);
