/** An icon of the sprite. Names stand literally in the call: the build puts those it finds into the sprite. */

const SVG = "http://www.w3.org/2000/svg";
const spriteUrl = new URL(`./${ICON_SPRITE}`, import.meta.url).href;

/** The icon as an element hidden from screen readers; the button around it carries the words. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${spriteUrl}#${name}`);
  svg.append(use);
  return svg;
}
