/** <thinking-fold>: what a model thought before it answered, folded to one line with its seconds. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext, ngettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import { MarkdownText } from "./markdown-text.ts";

const SECOND_MS = 1000;

export class ThinkingFold extends HTMLElement {
  #words = make("span", { class: "words" });
  #text = new MarkdownText();
  #details = make("details", {}, make("summary", {}, icon("chevron-right"), this.#words), this.#text);
  #thinking = "";
  #isThinking = false;
  #begun = 0;
  #seconds: number | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  connectedCallback(): void {
    this.append(this.#details);
    this.#details.addEventListener("toggle", () => this.#showText());
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** `seconds` as the server counted them; null while it still counts. */
  show(thinking: string, isThinking: boolean, seconds: number | null): void {
    this.#thinking = thinking;
    this.#begun ||= performance.now();
    if (this.#isThinking && !isThinking) this.#seconds = (performance.now() - this.#begun) / SECOND_MS;
    this.#isThinking = isThinking;
    this.#seconds = seconds ?? this.#seconds;
    this.classList.toggle("busy", isThinking);
    if (isThinking && this.#timer === undefined) this.#timer = setInterval(() => this.#showWords(), SECOND_MS);
    if (!isThinking) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#showWords();
    this.#showText();
  }

  #showWords(): void {
    const elapsed = this.#isThinking ? (performance.now() - this.#begun) / SECOND_MS : this.#seconds;
    const count = Math.round(elapsed ?? 0);
    let words: string;
    if (this.#isThinking) words = count < 1 ? gettext("Thinking") : ngettext("Thinking for %(count)s second", "Thinking for %(count)s seconds", count);
    else if (elapsed === null) words = gettext("Thoughts");
    else words = ngettext("Thought for %(count)s second", "Thought for %(count)s seconds", Math.max(count, 1));
    if (this.#words.textContent !== words) this.#words.textContent = words;
  }

  #showText(): void {
    // Folded, it costs nothing.
    if (this.#details.open) this.#text.show(this.#thinking, this.#isThinking);
  }
}

customElements.define("thinking-fold", ThinkingFold);
