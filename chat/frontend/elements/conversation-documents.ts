/** <conversation-documents>: how many documents the conversation draws on, and which. Fills the menu the template
 *  has in it; hidden where there is none. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext, ngettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import type { DocumentState } from "../protocol.ts";

export class ConversationDocuments extends HTMLElement {
  show(documents: readonly DocumentState[]): void {
    this.hidden = !documents.length;
    const words = ngettext("%(count)s document", "%(count)s documents", documents.length);
    this.querySelector("button")?.replaceChildren(icon("file-text"), make("span", { class: "truncate" }, words));
    const links = documents.map(({ id, name, status }) =>
      make("a", { href: `/documents/${id}/` }, make("span", { class: "truncate" }, name), make("small", { class: "faint" }, describe(status))),
    );
    this.querySelector("[popover]")?.replaceChildren(make("p", { class: "heading", role: "presentation" }, gettext("Answers draw on")), ...links);
  }
}

function describe(status: DocumentState["status"]): string {
  if (status === "ready") return "";
  return status === "failed" ? gettext("Could not be read") : gettext("Being read");
}

customElements.define("conversation-documents", ConversationDocuments);
