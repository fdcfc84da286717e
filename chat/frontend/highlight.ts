/** Colours for code, loaded when the first block asks. Returns nodes: only spans with highlight.js's classes. */

import hljs from "highlight.js/lib/common";

export function highlight(code: string, language: string): DocumentFragment | null {
  const name = language.toLowerCase();
  if (!hljs.getLanguage(name)) return null;
  const html = hljs.highlight(code, { language: name, ignoreIllegals: true }).value;
  const fragment = document.createDocumentFragment();
  copySpans(new DOMParser().parseFromString(`<body>${html}`, "text/html").body, fragment);
  return fragment;
}

function copySpans(from: Node, to: Node): void {
  for (const child of from.childNodes) {
    if (child instanceof Text) to.appendChild(document.createTextNode(child.data));
    else if (child instanceof HTMLSpanElement) {
      const span = document.createElement("span");
      span.className = child.className;
      copySpans(child, span);
      to.appendChild(span);
    }
  }
}
