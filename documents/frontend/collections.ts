/* Making and deleting collections, and having pages of the web read, from the documents page. */

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { confirmAction } from "../../config/frontend/confirm.ts";
import { showToast } from "../../config/frontend/toast-list.ts";
import { gettext } from "../../config/frontend/words.ts";

document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const opener = target.closest<HTMLElement>("[data-dialog]");
  if (opener) (document.getElementById(opener.dataset.dialog ?? "") as HTMLDialogElement | null)?.showModal();
  if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
  const deleter = target.closest<HTMLElement>("[data-delete-collection]");
  if (deleter) void deleteCollection(deleter.dataset.deleteCollection ?? "", deleter.dataset.name ?? "");
});

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.matches("[data-new-collection]")) {
    event.preventDefault();
    void createCollection(String(new FormData(form).get("name") ?? "").trim());
  } else if (form.matches("[data-add-url]")) {
    event.preventDefault();
    void addUrl(form);
  }
});

async function addUrl(form: HTMLFormElement): Promise<void> {
  const problem = form.querySelector<HTMLElement>("[data-part=problem]");
  const url = String(new FormData(form).get("url") ?? "").trim();
  try {
    const { id } = await callApi<{ id: string }>("POST", "/documents/url", { url, collection: form.dataset.collection || null });
    form.closest("dialog")?.close();
    form.reset();
    if (problem) problem.hidden = true;
    document.dispatchEvent(new CustomEvent("documents:added", { detail: id }));
  } catch (error) {
    if (!problem) return complain(error);
    problem.hidden = false;
    problem.textContent = error instanceof ApiError ? error.message : gettext("That did not work. Try again.");
  }
}

async function createCollection(name: string): Promise<void> {
  if (!name) return;
  try {
    const { id } = await callApi<{ id: string }>("POST", "/collections", { name });
    location.assign(`/documents/?collection=${id}`);
  } catch (error) {
    complain(error);
  }
}

async function deleteCollection(id: string, name: string): Promise<void> {
  const isSure = await confirmAction({
    title: gettext("Delete the collection “%(name)s”?", { name }),
    text: gettext("Every document in it is removed for good, with everything read from it."),
    verb: gettext("Delete collection"),
  });
  if (!isSure) return;
  try {
    await callApi("DELETE", `/collections/${id}`);
    location.assign("/documents/");
  } catch (error) {
    complain(error);
  }
}

function complain(error: unknown): void {
  showToast({ text: error instanceof ApiError ? error.message : gettext("That did not work. Try again."), kind: "error" });
}
