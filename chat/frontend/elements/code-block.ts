/** <code-block>: code with its language and a copy button. Colours come later, when highlight.js has loaded.
 *
 *  While the code is being written it is one text that grows; colouring it changes no line's place.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { isPlain, make } from "../dom.ts";
import { CopyButton } from "./copy-button.ts";

/** Colouring a block as it grows costs its whole length each time: not more often, nor for more of the time. */
const RECOLOUR_MS = 400;
const RECOLOUR_SHARE = 0.1;
const LONGEST_COLOURED = 60_000;

export class CodeBlock extends HTMLElement {
  #code = "";
  #language = "";
  #isOpen = false;
  #label = make("span", { class: "code-language" });
  #body = make("code");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cost = 0;

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
    }, this.#isOpen ? Math.max(RECOLOUR_MS, this.#cost / RECOLOUR_SHARE) : 0);
  }

  /** Colour it now, if it has waited for coming near the screen. */
  decorate(): void {
    this.#expectColour();
  }

  async #colour(): Promise<void> {
    if (isPlain(this)) return;
    // Without a connection the code stays as plain as it is.
    const { highlight } = await import("../highlight.ts").catch(() => ({ highlight: () => null }));
    if (!this.isConnected) return;
    const begun = performance.now();
    const nodes = highlight(this.#code, this.#language);
    if (nodes) this.#body.replaceChildren(nodes);
    this.#cost = performance.now() - begun;
  }
}

customElements.define("code-block", CodeBlock);
