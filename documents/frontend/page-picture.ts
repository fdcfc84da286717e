/* A page of a PDF as it looks, with the passage marked over it. The text beside it stays what is read aloud. */

import { callApi } from "../../config/frontend/api.ts";

interface Marks {
  width: number;
  height: number;
  /** Left, top, width and height as shares of the picture. */
  marks: [number, number, number, number][];
}

/** The page's picture, its place kept before it has come; rejects where the page cannot be drawn. */
export async function showPicture(
  id: string,
  page: number,
  start: number | null,
  end: number | null,
  signal: AbortSignal,
): Promise<HTMLElement> {
  const path = `/documents/${id}/pages/${page}`;
  const passage = start !== null && end !== null ? `?start=${start}&end=${end}` : "";
  const answer = await callApi<Marks>("GET", `${path}/marks${passage}`, undefined, signal);
  const sheet = document.createElement("div");
  sheet.className = "viewer-sheet";
  sheet.setAttribute("aria-hidden", "true");
  const image = document.createElement("img");
  image.width = answer.width;
  image.height = answer.height;
  image.alt = "";
  image.decoding = "async";
  image.src = `/api/v1${path}/picture`;
  sheet.append(image, ...answer.marks.map(mark));
  sheet.addEventListener("click", ({ clientX, clientY }) => look(sheet, clientX, clientY));
  const frame = document.createElement("div");
  frame.className = "viewer-frame";
  frame.append(sheet);
  return frame;
}

/** Turns a page that is wider than its frame to the column of the passage: most of its lines, rather than its title. */
export function turnToPassage(frame: HTMLElement): void {
  const marks = [...frame.querySelectorAll<HTMLElement>(".viewer-mark")];
  marks.sort((one, other) => one.offsetWidth - other.offsetWidth);
  const line = marks[Math.floor(marks.length / 2)];
  if (line) frame.scrollLeft = line.offsetLeft + (line.offsetWidth - frame.clientWidth) / 2;
}

/** A press looks closer at that place, which comes to the middle; another steps back. */
function look(sheet: HTMLElement, x: number, y: number): void {
  const { left, top, width, height } = sheet.getBoundingClientRect();
  const place = mark([(x - left) / width, (y - top) / height, 0, 0]);
  sheet.toggleAttribute("data-close");
  sheet.append(place);
  place.scrollIntoView({ block: "center", inline: "center" });
  place.remove();
}

function mark([left, top, width, height]: Marks["marks"][number]): HTMLElement {
  const box = document.createElement("span");
  box.className = "viewer-mark";
  const { style } = box;
  style.left = percent(left);
  style.top = percent(top);
  style.width = percent(width);
  style.height = percent(height);
  return box;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
