/* Where a floating thing stands: beside its anchor, inside the window. Used by menus and tooltips. */

const GAP_PX = 6;
const EDGE_PX = 8;

export type Side = "below" | "above" | "end";

/** Place `floating` (position: fixed, already shown) beside `anchor`: on `side` if there is room, else opposite. */
export function placeBeside(floating: HTMLElement, anchor: Element, side: Side, align: "start" | "centre" | "end"): void {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = floating;
  if (side === "end") {
    move(floating, box.right + GAP_PX, box.top + (box.height - height) / 2);
    return;
  }
  const above = box.top - GAP_PX - height;
  const below = box.bottom + GAP_PX;
  const fitsBelow = below + height <= innerHeight - EDGE_PX;
  const fitsAbove = above >= EDGE_PX;
  const top = side === "below" ? (fitsBelow || !fitsAbove ? below : above) : fitsAbove || !fitsBelow ? above : below;
  const left = { start: box.left, centre: box.left + (box.width - width) / 2, end: box.right - width }[align];
  move(floating, left, top);
}

function move(floating: HTMLElement, left: number, top: number): void {
  const maxLeft = document.documentElement.clientWidth - floating.offsetWidth - EDGE_PX;
  const maxTop = innerHeight - floating.offsetHeight - EDGE_PX;
  floating.style.left = `${Math.max(EDGE_PX, Math.min(left, maxLeft))}px`;
  floating.style.top = `${Math.max(EDGE_PX, Math.min(top, maxTop))}px`;
}
