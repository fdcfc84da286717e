/** TeX on the page, loaded with its style when the first formula asks. */

import katex from "katex";
import stylesheet from "stylesheet:katex/dist/katex.min.css";

document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: stylesheet }));

/** The formula as nodes, or null for TeX that KaTeX cannot read.
 *
 *  KaTeX writes some styles as attributes, which the content security policy forbids; set through the object
 *  model they are allowed. `trust` stays off: no links, images or classes from a text.
 */
export function renderFormula(tex: string, isBlock: boolean): DocumentFragment | null {
  let html: string;
  try {
    html = katex.renderToString(tex, { displayMode: isBlock, throwOnError: true, trust: false, strict: "ignore" });
  } catch {
    return null;
  }
  // Quotes of the text itself are escaped, so this finds attributes only.
  const parsed = new DOMParser().parseFromString(html.replaceAll(' style="', ' data-style="'), "text/html");
  for (const element of parsed.body.querySelectorAll<HTMLElement | SVGElement>("[data-style]")) {
    element.style.cssText = element.dataset.style ?? "";
    element.removeAttribute("data-style");
  }
  const fragment = document.createDocumentFragment();
  fragment.append(...parsed.body.childNodes);
  return fragment;
}
