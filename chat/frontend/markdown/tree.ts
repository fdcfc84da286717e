/** Markdown tokens → a small tree of elements; patch.ts puts it on the page.
 *
 *  The allow-list is this file: an element or an attribute that is not made here cannot come out of a text. HTML
 *  in a text stays text, but for a handful of inline tags that models use in tables and formulas.
 */

import { decodeEntities } from "./entities.ts";
import type { CitationToken, MathToken, Token, Tokens } from "./syntax.ts";

export interface ElementNode {
  tag: string;
  attributes: Record<string, string>;
  /** Set as properties on the element: for the custom elements that show code, formulas and citations. */
  properties: Record<string, string | number | boolean>;
  children: TreeNode[];
}

export type TreeNode = ElementNode | string;

const PLAIN_TAGS = new Set(["sub", "sup", "kbd", "mark", "u", "s", "b", "i", "em", "strong", "small", "code"]);
/** A message's headings stand below its speaker's name, an h2. Models begin with `#` or with `##`. */
const FIRST_HEADING_LEVEL = 3;

function element(tag: string, children: TreeNode[] = [], attributes: Record<string, string> = {}): ElementNode {
  return { tag, attributes, properties: {}, children };
}

function custom(tag: string, properties: ElementNode["properties"]): ElementNode {
  return { tag, attributes: {}, properties, children: [] };
}

/** The elements of block tokens, in order; blank space and link definitions give none. */
export function buildBlocks(tokens: Token[]): ElementNode[] {
  return tokens.flatMap((token) => buildBlock(token) ?? []);
}

function buildBlock(token: Token): ElementNode | undefined {
  switch (token.type) {
    case "paragraph":
      return element("p", buildInline((token as Tokens.Paragraph).tokens));
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      return element(`h${Math.min(Math.max(depth + 1, FIRST_HEADING_LEVEL), 6)}`, buildInline(tokens), { class: `h${depth}` });
    }
    case "blockquote":
      return element("blockquote", buildBlocks((token as Tokens.Blockquote).tokens));
    case "list":
      return buildList(token as Tokens.List);
    case "code": {
      const { text, lang } = token as Tokens.Code;
      return custom("code-block", { language: (lang ?? "").trim().split(/\s/)[0] ?? "", code: text, isOpen: false });
    }
    case "table":
      return buildTable(token as Tokens.Table);
    case "hr":
      return element("hr");
    case "math":
      return custom("math-formula", { tex: (token as MathToken).tex, isBlock: true });
    case "space":
    case "def":
      return undefined;
    default: {
      const inline = (token as Tokens.Text).tokens;
      return element("p", inline ? buildInline(inline) : [token.raw.trim()]);
    }
  }
}

function buildList(list: Tokens.List): ElementNode {
  const items = list.items.map((item) => {
    const children = item.tokens.flatMap((token): TreeNode[] => {
      // A tight item's text stands without a paragraph.
      if (token.type === "text") return buildInline((token as Tokens.Text).tokens ?? [token]);
      if (token.type === "checkbox") return [];
      return buildBlocks([token]);
    });
    if (!item.task) return element("li", children);
    const state: Record<string, string> = item.checked ? { checked: "" } : {};
    return element("li", [element("input", [], { type: "checkbox", disabled: "", ...state }), ...children], { class: "task" });
  });
  const start = list.ordered && list.start !== "" && list.start !== 1 ? { start: String(list.start) } : undefined;
  return element(list.ordered ? "ol" : "ul", items, start);
}

function buildTable(table: Tokens.Table): ElementNode {
  const cell = (tag: string, { tokens, align }: Tokens.TableCell): ElementNode =>
    element(tag, buildInline(tokens), align && align !== "left" ? { class: align } : {});
  const head = element("thead", [element("tr", table.header.map((c) => cell("th", c)))]);
  const body = element("tbody", table.rows.map((row) => element("tr", row.map((c) => cell("td", c)))));
  return element("div", [element("table", [head, body])], { class: "table-scroll", tabindex: "0" });
}

/** The nodes of inline tokens; neighbouring text is one node. */
export function buildInline(tokens: Token[]): TreeNode[] {
  const root: TreeNode[] = [];
  const opened: ElementNode[] = [];
  for (const token of tokens) {
    const into = opened.at(-1)?.children ?? root;
    const tag = token.type === "html" ? /^<(\/?)([a-z]+)\s*\/?>$/i.exec(token.raw.trim()) : null;
    const name = tag?.[2]?.toLowerCase() ?? "";
    if (name === "br") into.push(element("br"));
    else if (tag && PLAIN_TAGS.has(name) && !tag[1]) {
      const node = element(name);
      into.push(node);
      opened.push(node);
    } else if (tag?.[1] && opened.at(-1)?.tag === name) opened.pop();
    else for (const node of buildSpan(token)) push(into, node);
  }
  return root;
}

function push(nodes: TreeNode[], node: TreeNode): void {
  const last = nodes.at(-1);
  if (typeof node === "string" && typeof last === "string") nodes[nodes.length - 1] = last + node;
  else nodes.push(node);
}

function buildSpan(token: Token): TreeNode[] {
  switch (token.type) {
    case "strong":
    case "em":
    case "del":
      return [element(token.type, buildInline((token as Tokens.Strong).tokens))];
    case "codespan":
      return [element("code", [(token as Tokens.Codespan).text])];
    case "br":
      return [element("br")];
    case "link":
      return [buildLink(token as Tokens.Link)];
    case "image": {
      // Foreign images are not fetched: that would tell their host who reads. The description links there.
      const { href, text } = token as Tokens.Image;
      return [buildAnchor(href, [text || href])];
    }
    case "citation":
      return (token as CitationToken).numbers.map((n) => custom("citation-chip", { n }));
    case "math": {
      const { tex, isBlock } = token as MathToken;
      return [custom("math-formula", { tex, isBlock })];
    }
    case "escape":
      return [(token as Tokens.Escape).text];
    case "html":
      return [token.raw];
    default: {
      const inline = (token as Tokens.Text).tokens;
      return inline ? buildInline(inline) : [decodeEntities((token as Tokens.Text).text ?? token.raw)];
    }
  }
}

function buildLink({ href, tokens }: Tokens.Link): ElementNode {
  return buildAnchor(href, buildInline(tokens));
}

/** A link that opens beside the conversation; one with an address of any other scheme is only its words. */
function buildAnchor(href: string, children: TreeNode[]): ElementNode {
  const isSafe = /^(?:https?:\/\/|mailto:)/i.test(href);
  return element("a", children, isSafe ? { href, target: "_blank", rel: "noopener noreferrer nofollow" } : {});
}

const HOLDS_CARET = new Set(["p", "li", "ul", "ol", "blockquote", "h3", "h4", "h5", "h6"]);

/** Marks the end of a text that is being written: a caret after the last word, or an open code block. */
export function markEnd(blocks: ElementNode[]): void {
  const last = blocks.at(-1);
  if (last?.tag === "code-block") {
    last.properties.isOpen = true;
    return;
  }
  // Rows come whole; a caret below them would move with each.
  if (last?.attributes.class === "table-scroll") return;
  let holder: ElementNode | undefined;
  for (let node: TreeNode | undefined = last; node && typeof node !== "string" && HOLDS_CARET.has(node.tag); node = node.children.at(-1)) {
    holder = node;
  }
  const caret = element("span", [], { class: "caret", "aria-hidden": "true" });
  if (holder && !["ul", "ol", "blockquote"].includes(holder.tag)) holder.children.push(caret);
  else blocks.push(element("p", [caret]));
}
