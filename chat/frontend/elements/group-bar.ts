/** <group-bar>: the members of a group above the composer; a press asks one to speak, or to answer what is written.
 *
 *  Tells `speaker-choose` with a short name, or null to leave it to whoever's turn it is.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { make, portrait, tell } from "../dom.ts";
import type { Member } from "../protocol.ts";

export class GroupBar extends HTMLElement {
  show(members: Member[], speaker: string | null): void {
    this.hidden = members.length === 0;
    const buttons = members.map((member) => {
      const isChosen = member.slug === speaker;
      const choose = () => tell<string | null>(this, "speaker-choose", isChosen ? null : member.slug);
      const words = gettext("Let %(name)s speak", { name: member.name });
      return make(
        "button",
        { type: "button", class: "group-member", "aria-pressed": String(isChosen), "aria-label": words, title: words, onclick: choose },
        portrait(member.name, member.avatar_url, "small"),
        make("span", { class: "truncate" }, member.name),
      );
    });
    this.replaceChildren(...buttons);
  }
}

customElements.define("group-bar", GroupBar);
