/** <code-block>: code with its language and a copy button. Colours come later, when highlight.js has loaded.
 *
 *  While the code is being written it is one text that grows; colouring it changes no line's place.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import { CopyButton } from "./copy-button.ts";

/** Colouring a block as it grows costs its whole length each time. */
const RECOLOUR_MS = 400;
const LONGEST_COLOURED = 60_000;

export class CodeBlock extends HTMLElement {
  #code = "";
  #language = "";
  #isOpen = false;
  #label = make("span", { class: "code-language" });
  #body = make("code");
  #timer: ReturnType<typeof setTimeout> | undefined;

  get code(): string {
    return this.#code;
  }

  set code(code: string) {
    if (code.startsWith(this.#code)) this.#tail().appendData(code.slice(this.#code.length));
    else this.#body.replaceChildren(code);
    this.#code = code;
    this.#expectColour();
  }

  get language(): string {
    return this.#language;
  }

  set language(language: string) {
    this.#language = language;
    this.#label.textContent = language || gettext("text");
    this.#expectColour();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#expectColour();
  }

  connectedCallback(): void {
    if (this.hasChildNodes()) return;
    const copy = new CopyButton();
    copy.readText = () => this.#code;
    this.append(
      make("div", { class: "code-head" }, this.#label, copy),
      make("pre", { tabindex: 0, "aria-label": gettext("Code") }, this.#body),
    );
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tail(): Text {
    const last = this.#body.lastChild;
    if (last instanceof Text) return last;
    const text = document.createTextNode("");
    this.#body.append(text);
    return text;
  }

  #expectColour(): void {
    if (!this.#language || this.#code.length > LONGEST_COLOURED || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#colour();
    }, this.#isOpen ? RECOLOUR_MS : 0);
  }

  async #colour(): Promise<void> {
    // Without a connection the code stays as plain as it is.
    const { highlight } = await import("../highlight.ts").catch(() => ({ highlight: () => null }));
    const code = this.#code;
    const nodes = highlight(code, this.#language);
    if (!nodes) return;
    this.#body.replaceChildren(nodes);
  }
}

customElements.define("code-block", CodeBlock);
