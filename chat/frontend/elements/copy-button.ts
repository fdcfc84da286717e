/** <copy-button>: copies `text`, and says so with a tick for a moment. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { copyText } from "../clipboard.ts";
import { iconButton } from "../dom.ts";

const SHOWN_MS = 1600;

export class CopyButton extends HTMLElement {
  /** Asked for when it is needed: a text that is still being written may grow. */
  readText: () => string = () => "";
  #button = iconButton(gettext("Copy"), icon("copy"), () => this.#copy());
  #timer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback(): void {
    this.append(this.#button);
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  async #copy(): Promise<void> {
    const isCopied = await copyText(this.readText());
    this.#show(isCopied ? icon("check") : icon("x"), isCopied ? gettext("Copied") : gettext("Copying is not allowed here"));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(icon("copy"), gettext("Copy")), SHOWN_MS);
  }

  #show(image: SVGSVGElement, words: string): void {
    this.#button.replaceChildren(image);
    this.#button.setAttribute("aria-label", words);
  }
}

customElements.define("copy-button", CopyButton);
