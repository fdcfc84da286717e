/** <version-line>: one quiet line where the character has changed since the chat began. The chat keeps the one it
 *  has; the person may move it on, or close the line until the character changes again.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { make, tell } from "../dom.ts";
import type { Conversation } from "../conversation.ts";

const PREFIX = "version-kept:";

export class VersionLine extends HTMLElement {
  /** The line for this conversation, or none. */
  show({ id, character, version }: Readonly<Conversation>): void {
    this.hidden = !id || !character || !version || readKept(id) >= version.newest;
    if (this.hidden || !id || !character || !version) return this.replaceChildren();
    const words = gettext("%(name)s has changed since this chat began.", { name: character.name });
    const follow = make("button", { type: "button", class: "button small", onclick: () => tell(this, "character-follow", id) }, gettext("Go on with the new version"));
    const keep = make("button", { type: "button", class: "button small quiet", onclick: () => this.#keep(id, version.newest) }, gettext("Keep this one"));
    this.replaceChildren(make("span", {}, words), follow, keep);
  }

  #keep(id: string, newest: number): void {
    try {
      localStorage.setItem(PREFIX + id, String(newest));
    } catch {
      // Storage may be forbidden; the line then comes back with the next visit.
    }
    this.hidden = true;
  }
}

function readKept(id: string): number {
  try {
    return Number(localStorage.getItem(PREFIX + id) ?? 0);
  } catch {
    return 0;
  }
}

customElements.define("version-line", VersionLine);
