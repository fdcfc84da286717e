/** Makes the unfinished end of a streamed text fit to show.
 *
 *  Markdown says what a mark meant only when its partner arrives: `**bo` is bold once `ld**` follows. To keep raw
 *  marks from flashing, an end that is still open is either held back for a moment (a lone `|`, half a formula)
 *  or closed (`**bo` is shown as `**bo**`). Pure text in, pure text out; the stream itself is not changed.
 */

/** Marks that open a line's block; what follows them is the line's own text. */
const LINE_LEAD = /^(?:[ \t]|>|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|\d{1,9}[.)][ \t]+)*/;
/** A line that is nothing but marks so far: it could become a list, a heading, a rule, a table, a fence. */
const ONLY_MARKS = /^(?:[-*+_=#|:`~>$\\\s!]+|\d{1,9}[.)]?|\[[ xX]?\]?|\[\^?\d{0,3})$/;
const FENCE = /^(?:[ \t]|>|[-*+][ \t]+|\d{1,9}[.)][ \t]+)*(`{3,}|~{3,})/;
const TABLE_DELIMITER = /^[ \t>]*\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-*:?[ \t]*\|?[ \t]*$/;

/** Half a formula or half a tag longer than this is text that only looks like one. */
const LONGEST_HELD = 160;

/** `source` with its end held back or closed, ready for the parser. Blocks before the last are left as they are. */
export function settleEnd(source: string): string {
  const lines = source.split("\n");
  const last = lines.at(-1) ?? "";
  if (isInsideFence(lines.slice(0, -1))) {
    return /^[\s>]*[`~]+$/.test(last) ? lines.slice(0, -1).join("\n") : source;
  }
  if (FENCE.test(last)) return dropLast(lines);
  const lead = LINE_LEAD.exec(last)?.[0] ?? "";
  const rest = last.slice(lead.length);
  if (rest === "" || ONLY_MARKS.test(rest)) return settleTable(dropLastLine(lines));
  if (rest.startsWith("|")) return settleTable(dropLastLine(lines));
  return closeInline(source);
}

function dropLast(lines: string[]): string {
  return lines.slice(0, -1).join("\n");
}

function dropLastLine(lines: string[]): string[] {
  return lines.slice(0, -1);
}

/** Whether a code fence opened in `lines` is still open after them. */
function isInsideFence(lines: string[]): boolean {
  let open = "";
  for (const line of lines) {
    const fence = FENCE.exec(line)?.[1];
    if (!open) {
      // An info string with a backtick makes it inline code.
      if (fence && !(fence.startsWith("`") && line.slice(line.indexOf(fence) + fence.length).includes("`"))) open = fence;
    } else if (fence && fence[0] === open[0] && fence.length >= open.length && /^[\s>]*[`~]+\s*$/.test(line)) {
      open = "";
    }
  }
  return open !== "";
}

/** Shows a table's header as a table before its second line has come; other ends are closed as usual. */
function settleTable(lines: string[]): string {
  const text = lines.join("\n");
  const end = lines.at(-1) ?? "";
  const before = lines.at(-2) ?? "";
  const isHeader = /^[ \t>]*\|.*\|[ \t]*$/.test(end) && !TABLE_DELIMITER.test(end) && !/^[ \t>]*\|/.test(before);
  if (isHeader) {
    const columns = end.replace(/\\\|/g, "").split("|").length - 2;
    return `${text}\n|${" --- |".repeat(Math.max(columns, 1))}`;
  }
  return text.endsWith("\n") || /^[ \t>]*\|/.test(end) ? text : closeInline(text);
}

/** Where the last run of inline text begins: inline marks never reach across a block's edge. */
function findInlineStart(source: string): number {
  let start = source.length;
  while (start > 0) {
    const lineStart = source.lastIndexOf("\n", start - 1) + 1;
    const line = source.slice(lineStart, start);
    if (start !== source.length && line.trim() === "") return start + 1;
    const lead = LINE_LEAD.exec(line)?.[0] ?? "";
    if (/[-*+.)>]/.test(lead) || /^ {0,3}#{1,6}[ \t]/.test(line)) return lineStart + lead.length;
    if (lineStart === 0) return 0;
    start = lineStart - 1;
  }
  return 0;
}

interface Opener {
  mark: string;
  at: number;
}

function closeInline(source: string): string {
  const start = findInlineStart(source);
  return source.slice(0, start) + closeMarks(source.slice(start));
}

/** Inline text with every open mark closed, or cut before a construct that cannot be shown half. */
export function closeMarks(text: string): string {
  const open: Opener[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text[i] as string;
    if (char === "\\") {
      const tex = text[i + 1] === "(" ? "\\)" : text[i + 1] === "[" ? "\\]" : "";
      const end = tex ? text.indexOf(tex, i + 2) : i;
      if (end < 0) return finish(text.slice(0, i), open);
      i = tex ? end + 2 : i + 2;
    } else if (char === "`") {
      const run = runOf(text, i, "`");
      const end = findRun(text, i + run.length, run);
      if (end < 0) {
        const code = text.slice(i + run.length).replace(/`+$/, "");
        if (code.trim() === "") return finish(text.slice(0, i), open);
        return text.slice(0, i) + run + code + run + closers(open);
      }
      i = end + run.length;
    } else if (char === "$") {
      const end = skipMath(text, i);
      if (end < 0) return finish(text.slice(0, i), open);
      i = end;
    } else if (char === "!" && text[i + 1] === "[") {
      const end = /^!\[[^\]]*\]\([^)]*\)/.exec(text.slice(i))?.[0].length;
      if (end === undefined && !/^!\[[^\]]*\][^(]/.test(text.slice(i))) return finish(text.slice(0, i), open);
      i += end ?? 2;
    } else if (char === "[") {
      const link = readLink(text, i);
      if (typeof link === "string") return finish(text.slice(0, i) + link, open);
      i = link;
    } else if (char === "<" && /^<[/a-z][^>\n]*$/i.test(text.slice(i)) && text.length - i < LONGEST_HELD) {
      return finish(text.slice(0, i), open);
    } else if (char === "*" || char === "_" || char === "~") {
      const run = runOf(text, i, char);
      if (i + run.length === text.length) return finish(text.slice(0, i), open);
      applyRun(open, text, i, run);
      i += run.length;
    } else {
      i += 1;
    }
  }
  return finish(text, open);
}

function runOf(text: string, at: number, char: string): string {
  let end = at;
  while (text[end] === char) end += 1;
  return text.slice(at, end);
}

/** The place of a run exactly as long as `run`, or -1. */
function findRun(text: string, from: number, run: string): number {
  for (let at = text.indexOf(run, from); at >= 0; at = text.indexOf(run, at)) {
    const found = runOf(text, at, "`");
    if (found.length === run.length) return at;
    at += found.length;
  }
  return -1;
}

/** After the formula at `at`; one further if it is no formula; -1 if it may be half a formula. */
function skipMath(text: string, at: number): number {
  const isDouble = text[at + 1] === "$";
  const from = at + (isDouble ? 2 : 1);
  const rest = text.slice(from);
  if (isDouble) {
    const end = rest.indexOf("$$");
    return end < 0 ? -1 : from + end + 2;
  }
  const closed = /^(?!\s)(?:\\.|[^$\\\n])+?(?<!\s)\$/.exec(rest);
  if (closed) return from + closed[0].length;
  const looksLikeTex = rest === "" || (/^[A-Za-z\\{(\-|+]/.test(rest) && !rest.includes("\n") && rest.length < LONGEST_HELD);
  return looksLikeTex && !/[.!?] /.test(rest) ? -1 : from;
}

/** After the bracket at `at`, or the text to show in place of a half link. */
function readLink(text: string, at: number): number | string {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "[") depth += 1;
    else if (text[i] === "]") {
      depth -= 1;
      if (depth > 0) continue;
      const label = text.slice(at, i + 1);
      if (/^\[\d/.test(label) || text[i + 1] !== "(") return at + 1;
      const end = findClosing(text, i + 1);
      return end < 0 ? `[${closeMarks(label.slice(1, -1))}]()` : end + 1;
    }
  }
  const inside = text.slice(at + 1);
  if (inside.trim() === "" || /^\^?\d[\d,\s]*$/.test(inside)) return "";
  return inside.length > LONGEST_HELD || inside.includes("\n") ? at + 1 : `[${closeMarks(inside)}]()`;
}

/** The place of the parenthesis that closes the one at `at`, or -1. */
function findClosing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "(") depth += 1;
    else if (text[i] === ")" && --depth === 0) return i;
  }
  return -1;
}

function applyRun(open: Opener[], text: string, at: number, run: string): void {
  const before = text[at - 1] ?? " ";
  const after = text[at + run.length] ?? " ";
  const isInWord = /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
  if (run[0] === "~" && run.length !== 2) return;
  if (isInWord && (run[0] === "_" || run.length === 1) && !open.some(({ mark }) => mark === run)) return;
  if (!/\s/.test(before)) {
    let left = run.length;
    while (left > 0 && open.at(-1)?.mark[0] === run[0]) {
      const top = open.pop() as Opener;
      if (top.mark.length > left) open.push({ mark: top.mark.slice(0, top.mark.length - left), at: top.at });
      left -= top.mark.length;
    }
    if (left < run.length) return;
  }
  if (!/\s/.test(after)) open.push({ mark: run, at });
}

function closers(open: Opener[]): string {
  return open.map(({ mark }) => mark).reverse().join("");
}

/** Closes what is open; an opener with nothing after it goes away, closers stand before trailing spaces. */
function finish(text: string, open: Opener[]): string {
  const left = [...open];
  let shown = text.trimEnd();
  for (let top = left.at(-1); top && top.at + top.mark.length >= shown.length; top = left.at(-1)) {
    shown = shown.slice(0, top.at).trimEnd();
    left.pop();
  }
  return shown + closers(left);
}
