/** The Markdown stream: every prefix of a text is fit to show, and its end equals a reading in one go. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MarkdownBlocks } from "../../chat/frontend/markdown/blocks.ts";
import { settleEnd } from "../../chat/frontend/markdown/settle.ts";
import { buildBlocks, type ElementNode, markEnd, type TreeNode } from "../../chat/frontend/markdown/tree.ts";

function html(nodes: TreeNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === "string") return node.replaceAll("<", "&lt;");
      const { tag, attributes, properties, children } = node as ElementNode;
      const own = Object.entries({ ...attributes, ...properties }).map(([name, value]) => ` ${name}="${String(value).replaceAll(">", "&gt;")}"`);
      return `<${tag}${own.join("")}>${html(children)}</${tag}>`;
    })
    .join("");
}

function render(text: string): string {
  const blocks = new MarkdownBlocks();
  blocks.update(text, false);
  return html(buildBlocks([...blocks.settled, ...blocks.open]));
}

function renderEnd(text: string): string {
  const blocks = new MarkdownBlocks();
  blocks.update(text, true);
  return html(buildBlocks([...blocks.settled, ...blocks.open]));
}

function visible(markup: string): string {
  return markup.replace(/<code-block[^>]*>|<math-formula[^>]*>|<citation-chip[^>]*>/g, "").replace(/<[^>]*>/g, "");
}

const LETTER = `# Tea, *properly*

Water at **95 °C** and \`3 g\` a cup; see [the guide](https://example.org/tea_(drink)) and ~~coffee~~ [1][2].

1. Warm the **pot**
2. Pour, then wait
   - black: _4 minutes_
   - green: 2 minutes

| Leaf | Minutes | Note |
|:-----|--------:|------|
| Assam | 4 | **strong** |
| Sencha | 2 | \`70 °C\` |

> A watched *pot*
> never boils.

\`\`\`python
def steep(minutes: int) -> str:
    return f"**{minutes}**"
\`\`\`

Heat follows $Q = mc\\Delta T$, so

$$
Q = 0.25 \\cdot 4186 \\cdot 75
$$

- [x] kettle
- [ ] cups

It costs $3 or $4 a pot, 2 * 3 cups, a_snake_case name.`;

test("every prefix of a streamed text shows no raw marks", () => {
  for (let end = 1; end <= LETTER.length; end += 1) {
    const shown = visible(renderEnd(LETTER.slice(0, end)));
    assert.doesNotMatch(shown, /\*\*|`|\||~~|\$\$|\]\(|#|\\|^\s*>|\[1|\[x/m, JSON.stringify(LETTER.slice(Math.max(0, end - 40), end)));
  }
});

test("text that grows character by character ends as text read at once", () => {
  const blocks = new MarkdownBlocks();
  let settled = "";
  for (let end = 1; end <= LETTER.length; end += 1) {
    assert.ok(blocks.update(LETTER.slice(0, end), true));
    const now = html(buildBlocks(blocks.settled));
    assert.ok(now.startsWith(settled), "a finished block changed");
    settled = now;
  }
  blocks.update(LETTER, false);
  assert.equal(html(buildBlocks([...blocks.settled, ...blocks.open])), render(LETTER));
  assert.ok(blocks.settled.length > 8);
});

test("a long text is parsed from its last open block only", () => {
  const blocks = new MarkdownBlocks();
  blocks.update("One.\n\nTwo.\n\nThr", true);
  assert.equal(blocks.open.length, 1);
  assert.equal(blocks.open[0]?.raw, "Thr");
});

test("a text that starts over is read from its start", () => {
  const blocks = new MarkdownBlocks();
  blocks.update("One.\n\nTwo.", true);
  assert.equal(blocks.update("Other", true), false);
  assert.equal(html(buildBlocks([...blocks.settled, ...blocks.open])), "<p>Other</p>");
});

const ENDS: [string, string][] = [
  ["an **open", "an **open**"],
  ["an **open *nested", "an **open *nested***"],
  ["an **open ", "an **open**"],
  ["a `co", "a `co`"],
  ["a `", "a"],
  ["see [the li", "see [the li]()"],
  ["see [the link](htt", "see [the link]()"],
  ["as said [1", "as said"],
  ["so $x^2", "so"],
  ["for $5 a month", "for $5 a month"],
  ["text\n\n| a | b |\n", "text\n\n| a | b |\n| --- | --- |"],
  ["so \\(x", "so"],
  ["```py", ""],
  ["```py\ncode **x", "```py\ncode **x"],
  ["```py\ncode\n``", "```py\ncode"],
  ["para\n-", "para"],
  ["- a\n- ", "- a"],
  ["1. a\n2", "1. a"],
];
for (const [given, expected] of ENDS) {
  test(`the end of ${JSON.stringify(given)} is settled`, () => assert.equal(settleEnd(given).trimEnd(), expected.trimEnd()));
}

test("a table's head shows as a table at once", () => {
  assert.match(renderEnd("| a | b |\n| -"), /<thead><tr><th>a<\/th><th>b<\/th>/);
});

test("a caret follows the last word, inside a list or a quote", () => {
  const blocks = buildBlocks((() => {
    const b = new MarkdownBlocks();
    b.update("- one\n- two", true);
    return b.open;
  })());
  markEnd(blocks);
  assert.match(html(blocks), /two<span class="caret" aria-hidden="true"><\/span><\/li>/);
});

test("HTML in a text stays text, harmless tags work, scripts in links do not", () => {
  assert.equal(render("<script>alert(1)</script>"), "<p>&lt;script>alert(1)&lt;/script></p>");
  assert.equal(render('a <img src=x onerror="alert(1)"> b'), '<p>a &lt;img src=x onerror="alert(1)"> b</p>');
  assert.equal(render("H<sub>2</sub>O<br>x"), "<p>H<sub>2</sub>O<br></br>x</p>");
  assert.equal(render("[x](javascript:alert(1))"), "<p><a>x</a></p>");
  assert.doesNotMatch(render("![x](https://example.org/track.png)"), /<img/);
});

test("citations are numbers in brackets, apart or together, and not links", () => {
  assert.equal(render("So [1]."), '<p>So <citation-chip n="1"></citation-chip>.</p>');
  assert.equal((render("So [1, 3][2].").match(/citation-chip n/g) ?? []).length, 3);
  assert.doesNotMatch(render("[1](https://example.org)"), /citation-chip/);
});

test("formulas are found and money is not", () => {
  assert.match(render("Take $a_1 + b$ now"), /math-formula tex="a_1 \+ b"/);
  assert.doesNotMatch(render("from $5 to $10 a day"), /math-formula/);
  assert.match(render("\\[ x \\]"), /math-formula tex="x" isBlock="true"/);
  assert.match(render("\\(x\\) holds"), /math-formula tex="x" isBlock="false"/);
});

test("character references are read", () => {
  assert.equal(render("a &amp; b &#8212; c &lt;d&gt; &nope;"), "<p>a & b — c &lt;d> &nope;</p>");
});
