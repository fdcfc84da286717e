/** Markdown as models write it: CommonMark and GFM by marked, plus TeX and numbered citations.
 *
 *  This gives tokens only. What they become on the page is decided in tree.ts, so that no HTML a model writes
 *  is ever parsed as HTML.
 */

import { Marked, type Token, type TokenizerAndRendererExtension, type Tokens } from "marked";

export type { Token, Tokens };

export interface MathToken {
  type: "math";
  raw: string;
  tex: string;
  isBlock: boolean;
}

export interface CitationToken {
  type: "citation";
  raw: string;
  numbers: number[];
}

const BLOCK_MATH = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n+|$)/;
// A dollar before a digit is money more often than TeX, unless an operator or a command follows soon.
const INLINE_MATH =
  /^(?:\$\$([^$]+?)\$\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\]|\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d))/;
const CITATION = /^\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\(|\[(?!\d))/;

const blockMath: TokenizerAndRendererExtension = {
  name: "blockMath",
  level: "block",
  start: (source) => source.match(/(?:^|\n) {0,3}(?:\$\$|\\\[)/)?.index,
  tokenizer(source): MathToken | undefined {
    const match = BLOCK_MATH.exec(source);
    return match ? { type: "math", raw: match[0], tex: (match[1] ?? match[2] ?? "").trim(), isBlock: true } : undefined;
  },
};

const inlineMath: TokenizerAndRendererExtension = {
  name: "inlineMath",
  level: "inline",
  start: (source) => source.match(/\$|\\[([]/)?.index,
  tokenizer(source): MathToken | undefined {
    const match = INLINE_MATH.exec(source);
    if (!match) return undefined;
    const tex = (match[1] ?? match[2] ?? match[3] ?? match[4] ?? "").trim();
    return { type: "math", raw: match[0], tex, isBlock: match[1] !== undefined || match[3] !== undefined };
  },
};

const citation: TokenizerAndRendererExtension = {
  name: "citation",
  level: "inline",
  start: (source) => source.match(/\[\d/)?.index,
  tokenizer(source): CitationToken | undefined {
    const match = CITATION.exec(source);
    if (!match) return undefined;
    const numbers = (match[1] ?? "").split(",").map(Number);
    return { type: "citation", raw: match[0], numbers };
  },
};

const marked = new Marked({ gfm: true, extensions: [blockMath, inlineMath, citation] });

/** The block tokens of `source`; line ends must be `\n` already. */
export function readBlocks(source: string): Token[] {
  return marked.lexer(source);
}
