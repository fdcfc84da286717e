/** <conversation-documents>: how many documents the conversation draws on, and which. Fills the menu the template
 *  has in it; hidden where there is none. */

import { icon } from "../../../config/frontend/icon.ts";
import { formatNumber, gettext, ngettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import type { DocumentState } from "../protocol.ts";
import { taskButtons } from "./task-offers.ts";

export class ConversationDocuments extends HTMLElement {
  #shown = "";

  show(documents: readonly DocumentState[]): void {
    const shown = JSON.stringify(documents.map(({ id, name, status }) => [id, name, status]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = !documents.length;
    const words = ngettext("%(count)s document", "%(count)s documents", documents.length);
    const button = this.querySelector("button");
    button?.setAttribute("aria-label", words);
    button?.replaceChildren(
      icon("file-text"),
      make("span", { class: "in-words" }, words),
      make("span", { class: "count tabular" }, formatNumber(documents.length)),
    );
    const links = documents.map(({ id, name, status }) =>
      make("a", { href: `/documents/${id}/` }, make("span", { class: "truncate" }, name), make("small", { class: "faint" }, describe(status))),
    );
    this.querySelector("[popover]")?.replaceChildren(make("p", { class: "heading", role: "presentation" }, gettext("Answers draw on")), ...links);
    const tasks = taskButtons(documents, "");
    if (tasks.length) this.querySelector("[popover]")?.append(make("hr"), ...tasks);
  }
}

function describe(status: DocumentState["status"]): string {
  if (status === "ready") return "";
  return status === "failed" ? gettext("Could not be read") : gettext("Being read");
}

customElements.define("conversation-documents", ConversationDocuments);
