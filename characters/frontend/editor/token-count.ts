/* <token-count for="id"> or <token-count fields="name">: what the field's words cost in every prompt. */

import { describeTokens } from "./token-words.ts";
import { estimateTokens } from "./tokens.ts";

class TokenCount extends HTMLElement {
  #form: HTMLFormElement | null = null;

  connectedCallback(): void {
    this.#form = this.closest("form");
    this.#form?.addEventListener("input", this.#show);
    this.#show();
  }

  disconnectedCallback(): void {
    this.#form?.removeEventListener("input", this.#show);
  }

  #show = (): void => {
    const id = this.getAttribute("for");
    const selector = id ? `#${id}` : `[name="${this.getAttribute("fields")}"]`;
    const fields = [...(this.#form?.querySelectorAll<HTMLTextAreaElement>(selector) ?? [])];
    const counts = fields.map((field) => estimateTokens(field.value));
    // Of several greetings a chat has one: the longest is what it can cost.
    const count = Math.max(0, ...counts);
    this.textContent = count ? describeTokens(count) : "";
  };
}

customElements.define("token-count", TokenCount);
