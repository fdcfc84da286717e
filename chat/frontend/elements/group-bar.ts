/** <group-bar>: the members of a group above the composer; a press asks one to speak, or to answer what is written.
 *
 *  Tells `speaker-choose` with a short name, or null to leave it to whoever's turn it is.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { make, portrait, tell } from "../dom.ts";
import type { Member } from "../protocol.ts";

export class GroupBar extends HTMLElement {
  #shown = "";

  show(members: Member[], speaker: string | null): void {
    // The same again stays as it is, so that a press meets what it began on.
    const shown = JSON.stringify([members, speaker]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = members.length === 0;
    const buttons = members.map((member) => {
      const isChosen = member.slug === speaker;
      const choose = () => tell<string | null>(this, "speaker-choose", isChosen ? null : member.slug);
      const name = { name: member.name };
      const words = member.is_muted ? gettext("Let %(name)s speak, who is muted", name) : gettext("Let %(name)s speak", name);
      return make(
        "button",
        { type: "button", class: member.is_muted ? "group-member muted" : "group-member", "aria-pressed": String(isChosen), "aria-label": words, title: words, onclick: choose },
        portrait(member.name, member.avatar_url, "small"),
        make("span", { class: "truncate" }, member.name),
        member.is_muted ? icon("volume-x") : null,
      );
    });
    this.replaceChildren(...buttons);
  }
}

customElements.define("group-bar", GroupBar);
