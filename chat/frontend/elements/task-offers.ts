/** <task-offers>: what can be asked about the documents at hand as wholes. Tells `task-choose`. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { takeAsked, type Asked, type Task } from "../../../documents/frontend/tasks.ts";
import { make, tell } from "../dom.ts";
import type { DocumentState } from "../protocol.ts";

/** As many as the server takes at once. */
const DOCUMENTS_MOST = 8;

/** The task, and the documents it is about. */
export interface TaskChoice extends Asked {
  documents: DocumentState[];
}

/** What was asked on a documents page, which only offers what has been read. */
export function takeChoice(): TaskChoice | null {
  const asked = takeAsked();
  if (!asked) return null;
  return { ...asked, documents: asked.documents.map(({ id, name }) => ({ id, name, status: "ready", progress: 1 })) };
}

/** A button for each task that fits so many documents; none where one of them is still being read. */
export function taskButtons(documents: readonly DocumentState[], className: string): HTMLButtonElement[] {
  const isReady = documents.length > 0 && documents.every(({ status }) => status === "ready");
  if (!isReady || documents.length > DOCUMENTS_MOST) return [];
  const offer = (task: Task, words: string, image: SVGSVGElement): HTMLButtonElement =>
    make("button", { type: "button", class: className, onclick: ({ currentTarget }) => choose(currentTarget as Element, task, documents) }, image, words);
  const offers = [
    offer("summarise", gettext("Summarise"), icon("scroll-text")),
    offer("key_facts", gettext("Key facts"), icon("table-2")),
  ];
  if (documents.length === 2) offers.push(offer("compare", gettext("Compare"), icon("file-diff")));
  return offers;
}

function choose(button: Element, task: Task, documents: readonly DocumentState[]): void {
  button.closest<HTMLElement>("[popover]")?.hidePopover();
  tell<TaskChoice>(button, "task-choose", { task, documents: [...documents] });
}

export class TaskOffers extends HTMLElement {
  show(documents: readonly DocumentState[]): void {
    this.replaceChildren(...taskButtons(documents, "button small"));
    this.hidden = !this.childElementCount;
  }
}

customElements.define("task-offers", TaskOffers);
