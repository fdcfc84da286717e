/** <answer-verdict>: good or bad, said of one answer with two small buttons; pressed again, taken back. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { setFeedback } from "../api.ts";
import { iconButton } from "../dom.ts";
import type { Verdict } from "../protocol.ts";
import type { MessageNode } from "../message-node.ts";

export class AnswerVerdict extends HTMLElement {
  #node: MessageNode;
  #buttons: Record<Verdict, HTMLButtonElement> = {
    up: iconButton(gettext("Good answer"), icon("thumbs-up"), () => void this.#say("up")),
    down: iconButton(gettext("Bad answer"), icon("thumbs-down"), () => void this.#say("down")),
  };

  constructor(node: MessageNode) {
    super();
    this.#node = node;
  }

  connectedCallback(): void {
    this.append(this.#buttons.up, this.#buttons.down);
    this.show();
  }

  /** As the message says now. A greeting is nobody's answer. */
  show(): void {
    this.hidden = this.#node.reply === null;
    for (const verdict of ["up", "down"] as const) {
      this.#buttons[verdict].setAttribute("aria-pressed", String(this.#node.feedback === verdict));
    }
  }

  async #say(pressed: Verdict): Promise<void> {
    const before = this.#node.feedback ?? null;
    const verdict = before === pressed ? null : pressed;
    this.#keep(verdict);
    try {
      await setFeedback(this.#node.id, verdict);
    } catch {
      this.#keep(before);
    }
  }

  #keep(verdict: Verdict | null): void {
    this.#node.feedback = verdict;
    this.show();
  }
}

customElements.define("answer-verdict", AnswerVerdict);
