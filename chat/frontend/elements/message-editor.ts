/** <message-editor>: a message's words, open for a change.
 *
 *  Tells `editor-send` (the person's own: a branch with an answer), `editor-save` (in its place), `editor-branch`
 *  (beside it), each with the text, or `editor-close`.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { make, tell } from "../dom.ts";

type Way = "editor-send" | "editor-save" | "editor-branch";

export class MessageEditor extends HTMLElement {
  #isOwn: boolean;
  #field = make("textarea", { class: "textarea", rows: 1, "aria-label": gettext("Edit the message") });

  constructor(text = "", isOwn = true) {
    super();
    this.#isOwn = isOwn;
    this.#field.value = text;
  }

  connectedCallback(): void {
    const cancel = make("button", { type: "button", class: "button small quiet", onclick: () => tell(this, "editor-close", null) }, gettext("Cancel"));
    const buttons = this.#isOwn
      ? [this.#button(gettext("Save only"), "editor-save"), this.#button(gettext("Send"), "editor-send")]
      : [this.#button(gettext("Save beside it"), "editor-branch"), this.#button(gettext("Save"), "editor-save")];
    buttons.at(-1)?.classList.add("primary");
    this.#field.addEventListener("keydown", this.#onKey);
    this.append(this.#field, make("div", { class: "row end" }, cancel, ...buttons));
    this.#field.focus({ preventScroll: true });
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  #button(words: string, way: Way): HTMLButtonElement {
    return make("button", { type: "button", class: "button small", onclick: () => this.#save(way) }, words);
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      // It closes the editor and nothing else: no reply is stopped by it.
      event.stopPropagation();
      tell(this, "editor-close", null);
    } else if (this.#isOwn && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#save("editor-send");
    }
  };

  #save(way: Way): void {
    const text = this.#field.value.trim();
    if (text) tell(this, way, text);
  }
}

customElements.define("message-editor", MessageEditor);
