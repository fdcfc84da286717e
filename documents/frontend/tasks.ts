/* What can be asked about whole documents, from a documents page: the buttons `data-task`, and the way to the chat.

   A new chat sends it (`takeAsked`). It travels through this tab's storage and not in the address: no link that
   somebody else has made can set a model to work. */

import { gettext } from "../../config/frontend/words.ts";
import type { CompareDialog } from "./compare-dialog.ts";

export type Task = "summarise" | "compare" | "key_facts";

export interface Subject {
  id: string;
  name: string;
}

export interface Asked {
  task: Task;
  documents: Subject[];
}

const KEY = "asked-task";

/** Ask in a new chat, which opens. */
export function askTask(asked: Asked): void {
  sessionStorage.setItem(KEY, JSON.stringify(asked));
  location.assign("/");
}

/** What was asked on the page before this one, once. */
export function takeAsked(): Asked | null {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return kept ? (JSON.parse(kept) as Asked) : null;
}

/** The task as the person's message. */
export function taskSentence({ task, documents }: Asked): string {
  const names = documents.map(({ name }) => gettext("“%(name)s”", { name }));
  const [first = "", second = ""] = names;
  if (task === "compare") return gettext("Compare %(first)s and %(second)s.", { first, second });
  if (task === "key_facts") return gettext("List the key facts of %(names)s.", { names: names.join(", ") });
  return gettext("Summarise %(names)s.", { names: names.join(", ") });
}

/** Makes the buttons `data-task` work, each inside an element with `data-document` and `data-name`. */
export function listenForTasks(): void {
  document.addEventListener("click", ({ target }) => {
    const button = (target as Element).closest<HTMLElement>("[data-task]");
    const { document: id, name } = button?.closest<HTMLElement>("[data-document]")?.dataset ?? {};
    if (!button || !id || !name) return;
    const task = button.dataset.task as Task;
    if (task === "compare") document.querySelector<CompareDialog>("compare-dialog")?.open({ id, name });
    else askTask({ task, documents: [{ id, name }] });
  });
}
