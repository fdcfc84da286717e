/** <branch-arrows>: `2 / 3` with arrows, beside a message that has siblings. Tells `branch-choose` with its place. */

import { icon } from "../../../config/frontend/icon.ts";
import { formatNumber, gettext } from "../../../config/frontend/words.ts";
import { iconButton, make, tell } from "../dom.ts";

export class BranchArrows extends HTMLElement {
  #at = 0;
  #count = 0;
  #place = make("span", { class: "tabular" });
  #earlier = iconButton(gettext("Earlier version"), icon("chevron-left"), () => tell(this, "branch-choose", this.#at - 1));
  #later = iconButton(gettext("Later version"), icon("chevron-right"), () => tell(this, "branch-choose", this.#at + 1));

  connectedCallback(): void {
    this.append(this.#earlier, this.#place, this.#later);
  }

  /** `at` counts from 0. */
  show(at: number, count: number): void {
    this.#at = at;
    this.#count = count;
    this.hidden = this.#count < 2;
    this.#place.textContent = `${formatNumber(at + 1)} / ${formatNumber(count)}`;
    this.#place.setAttribute("aria-label", gettext("Version %(at)s of %(count)s", { at: at + 1, count }));
    // Disabling the button that has the focus would lose the focus.
    this.#earlier.setAttribute("aria-disabled", String(at === 0));
    this.#later.setAttribute("aria-disabled", String(at === count - 1));
  }
}

customElements.define("branch-arrows", BranchArrows);
