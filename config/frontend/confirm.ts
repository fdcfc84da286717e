/* Asking before something that cannot be undone: a dialog that names the thing.

   Scripts await `confirmAction`; a form asks by attributes: data-confirm="what happens",
   data-confirm-title="Delete “notes.pdf”?", data-confirm-verb="Delete". */

import { gettext } from "./words.ts";

export interface Question {
  title: string;
  text: string;
  /** The word on the button that does it. */
  verb: string;
  isDangerous?: boolean;
}

/** True once the person chooses the verb, false when they cancel or press Escape. */
export function confirmAction({ title, text, verb, isDangerous = true }: Question): Promise<boolean> {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const form = document.createElement("form");
  form.method = "dialog";
  const head = document.createElement("header");
  const heading = document.createElement("h2");
  heading.id = "confirm-title";
  heading.textContent = title;
  head.append(heading);
  const body = document.createElement("div");
  body.className = "body";
  body.textContent = text;
  const foot = document.createElement("footer");
  foot.append(button(gettext("Cancel"), "cancel", "button"), button(verb, "yes", isDangerous ? "button danger" : "button primary"));
  form.append(head, body, foot);
  dialog.append(form);
  dialog.setAttribute("aria-labelledby", heading.id);
  document.body.append(dialog);
  dialog.showModal();
  // The harmless answer has the focus, so that Enter alone deletes nothing.
  foot.querySelector("button")?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  });
}

function button(words: string, value: string, className: string): HTMLButtonElement {
  const element = document.createElement("button");
  element.className = className;
  element.value = value;
  element.textContent = words;
  return element;
}

const confirmed = new WeakSet<HTMLFormElement>();

document.addEventListener("submit", async (event) => {
  const form = event.target as HTMLFormElement;
  const text = form.dataset.confirm;
  if (!text || confirmed.has(form)) return;
  event.preventDefault();
  const submitter = event.submitter as HTMLButtonElement | null;
  const answer = await confirmAction({
    title: form.dataset.confirmTitle ?? gettext("Are you sure?"),
    text,
    verb: form.dataset.confirmVerb ?? submitter?.textContent?.trim() ?? gettext("Go on"),
  });
  if (!answer) return;
  confirmed.add(form);
  form.requestSubmit(submitter);
});
