/* A page's text as elements: line by line, marked where the passage is. documents/viewer/passages.py does the same on the
   server. Offsets are Unicode code points; a string's own indices count UTF-16 units. */

// Text files are wrapped at 72 to 100 characters; a longer line is a paragraph that extraction has joined.
const PARAGRAPH_CHARACTERS = 110;

/** The lines of `text`, marked from `start` to `end`; null, reversed or outside marks nothing or less. */
export function showText(text: string, start: number | null, end: number | null): HTMLElement[] {
  const isWanted = start !== null && end !== null && start < end;
  const [from, to] = isWanted ? [start, end] : [0, 0];
  const lines: HTMLElement[] = [];
  let position = 0;
  let previous: string[] = [];
  let isMarked = false;
  for (const line of text.split("\n")) {
    const points = Array.from(line);
    if (line.trim()) {
      const element = document.createElement("span");
      const isLong = Math.max(points.length, previous.length) > PARAGRAPH_CHARACTERS;
      const isSpaced = lines.length > 0 && (isLong || !previous.join("").trim());
      element.className = isSpaced ? "line spaced" : "line";
      const [first, last] = [clamp(from - position, points.length), clamp(to - position, points.length)];
      element.append(points.slice(0, first).join(""));
      if (first < last) {
        const mark = document.createElement("mark");
        if (!isMarked) mark.id = "passage";
        isMarked = true;
        mark.textContent = points.slice(first, last).join("");
        element.append(mark);
      }
      element.append(points.slice(last).join(""));
      lines.push(element);
    }
    previous = points;
    position += points.length + 1;
  }
  return lines;
}

function clamp(offset: number, length: number): number {
  return Math.min(Math.max(offset, 0), length);
}
