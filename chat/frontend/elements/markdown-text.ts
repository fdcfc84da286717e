/** <markdown-text>: Markdown on the page, also while it is being written: finished blocks are never touched again. */

import { MarkdownBlocks } from "../markdown/blocks.ts";
import { patchChildren } from "../markdown/patch.ts";
import { buildBlocks, markEnd } from "../markdown/tree.ts";
import "./citation-chip.ts";
import { CodeBlock } from "./code-block.ts";
import { MathFormula } from "./math-formula.ts";

export class MarkdownText extends HTMLElement {
  #blocks = new MarkdownBlocks();
  #settledTokens = 0;
  #settledElements = 0;
  #shown: string | null = null;
  #wasStreaming = false;

  /** The code and the formulas, which a plain message shows as they were written. */
  get ornaments(): (CodeBlock | MathFormula)[] {
    const found = this.querySelectorAll("code-block, math-formula");
    return [...found].filter((element) => element instanceof CodeBlock || element instanceof MathFormula);
  }

  /** Show the whole text so far. */
  show(text: string, isStreaming: boolean): void {
    if (text === this.#shown && isStreaming === this.#wasStreaming) return;
    this.#shown = text;
    this.#wasStreaming = isStreaming;
    if (!this.#blocks.update(text, isStreaming)) this.#settledTokens = this.#settledElements = 0;
    const settled = buildBlocks(this.#blocks.settled.slice(this.#settledTokens));
    const open = buildBlocks(this.#blocks.open);
    if (isStreaming) markEnd(open);
    patchChildren(this, [...settled, ...open], this.#settledElements);
    this.#settledTokens = this.#blocks.settled.length;
    this.#settledElements += settled.length;
  }
}

customElements.define("markdown-text", MarkdownText);
