/* Tooltips: a few words beside what has data-tooltip, and beside every icon button that has only a label.

   One floating element serves the page. Screen readers have the label already, so it is hidden from them. */

import { placeBeside } from "./floating.ts";

const DELAY_MS = 350;
const TARGETS = "[data-tooltip], .icon-button[aria-label]";
const tip = document.createElement("div");
tip.className = "tooltip";
tip.popover = "manual";
tip.setAttribute("aria-hidden", "true");
let timer = 0;
let anchor: Element | null = null;

function words(target: Element): string {
  return target.getAttribute("data-tooltip") ?? target.getAttribute("aria-label") ?? "";
}

function show(target: Element): void {
  const text = words(target);
  if (!text || !target.isConnected) return;
  // Its menu is open and says more; the words would lie over it.
  if (target.closest("menu-button")?.querySelector(":popover-open")) return;
  // Inside a modal dialog only its own children are above the veil.
  const home = target.closest("dialog[open]") ?? document.body;
  if (tip.parentNode !== home) home.append(tip);
  tip.textContent = text;
  tip.showPopover();
  placeBeside(tip, target, target.getAttribute("data-tooltip-side") === "end" ? "end" : "above", "centre");
}

function expect(target: Element | null, delay: number): void {
  if (target === anchor) return;
  hide();
  anchor = target;
  if (target) timer = window.setTimeout(() => show(target), delay);
}

function hide(): void {
  clearTimeout(timer);
  anchor = null;
  if (tip.matches(":popover-open")) tip.hidePopover();
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "mouse") expect((event.target as Element).closest(TARGETS), DELAY_MS);
});
document.addEventListener("focusin", (event) => {
  const target = (event.target as Element).closest(TARGETS);
  if (target?.matches(":focus-visible")) expect(target, 0);
});
document.addEventListener("focusout", hide);
document.addEventListener("pointerdown", hide);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
addEventListener("scroll", hide, { capture: true, passive: true });
