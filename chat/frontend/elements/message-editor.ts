/** <message-editor>: the person's own words, open for a change. Tells `editor-save` with the text, or `editor-close`. */

import { gettext } from "../../../config/frontend/words.ts";
import { make, tell } from "../dom.ts";

export class MessageEditor extends HTMLElement {
  #field = make("textarea", { class: "textarea", rows: 1, "aria-label": gettext("Edit your message") });

  constructor(text = "") {
    super();
    this.#field.value = text;
  }

  connectedCallback(): void {
    const cancel = make("button", { type: "button", class: "button small quiet", onclick: () => this.#close() }, gettext("Cancel"));
    const save = make("button", { type: "button", class: "button small primary", onclick: () => this.#save() }, gettext("Send"));
    this.#field.addEventListener("keydown", this.#onKey);
    this.append(this.#field, make("div", { class: "row end" }, cancel, save));
    this.#field.focus({ preventScroll: true });
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      // It closes the editor and nothing else: no reply is stopped by it.
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#save();
    }
  };

  #save(): void {
    const text = this.#field.value.trim();
    if (text) tell(this, "editor-save", text);
  }

  #close(): void {
    tell(this, "editor-close", null);
  }
}

customElements.define("message-editor", MessageEditor);
