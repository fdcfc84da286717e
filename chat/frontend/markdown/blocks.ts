/** A text that grows, as blocks: those that are done for good, and the ones that may still change.
 *
 *  Each update parses only what follows the last finished block, so a long reply costs no more per frame than a
 *  short one. Knows nothing of the page.
 */

import { settleEnd } from "./settle.ts";
import { readBlocks, type Token } from "./syntax.ts";

export class MarkdownBlocks {
  /** Blocks that later text cannot change, in order. */
  readonly settled: Token[] = [];
  /** Blocks that later text may change; they follow `settled`. */
  open: Token[] = [];

  #source = "";
  #settledLength = 0;

  /** Takes the whole text so far. Returns false where it is no longer the old text grown: then all starts over. */
  update(text: string, isStreaming: boolean): boolean {
    const source = text.replace(/\r\n?/g, "\n");
    // A link's target may stand at the very end, so a finished text that has one is read once more as a whole.
    const isGrown = source.startsWith(this.#source) && (isStreaming || !/^ {0,3}\[[^\]]+\]:/m.test(source));
    if (!isGrown) this.#restart();
    this.#source = source;
    const tail = source.slice(this.#settledLength);
    if (!isStreaming) {
      this.open = readBlocks(tail);
      return isGrown;
    }
    const tokens = readBlocks(settleEnd(tail));
    this.#settle(tokens, tail);
    return isGrown;
  }

  /** Moves blocks that are followed by another to `settled`. */
  #settle(tokens: Token[], tail: string): void {
    let last = tokens.length - 1;
    while (last > 0 && tokens[last]?.type === "space") last -= 1;
    let length = 0;
    let count = 0;
    for (const token of tokens.slice(0, Math.max(last, 0))) {
      // The parser rewrites a few odd inputs; what is not found word for word stays open.
      if (!tail.startsWith(token.raw, length)) break;
      length += token.raw.length;
      count += 1;
    }
    this.settled.push(...tokens.slice(0, count));
    this.#settledLength += length;
    this.open = tokens.slice(count);
  }

  #restart(): void {
    this.settled.length = 0;
    this.#settledLength = 0;
  }
}
