/* <document-list>: brings the documents table to life. Uploads what its drop zone is given, follows every
   document until it is ready or failed (by socket, by asking where the socket is down), tries again, deletes. */

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { confirmAction } from "../../config/frontend/confirm.ts";
import { openLive, type DocumentEvent } from "../../config/frontend/live.ts";
import { showToast } from "../../config/frontend/toast-list.ts";
import { gettext } from "../../config/frontend/words.ts";
import type { FilesEvent } from "./drop-zone.ts";
import { DocumentRow, isUnfinished, summarise, type DocumentState, type Status } from "./row.ts";
import { uploadDocument } from "./upload.ts";

// While the socket is up, events carry the news and asking only mends what was missed.
const ASK_MS = { connected: 15_000, alone: 2_000 };

class DocumentList extends HTMLElement {
  #life = new AbortController();
  #rows = new Map<string, DocumentRow>();
  #isConnected = false;
  #timer = 0;

  connectedCallback(): void {
    this.#life = new AbortController();
    const { signal } = this.#life;
    for (const element of this.querySelectorAll<HTMLTableRowElement>("tbody > tr[data-document]")) {
      const row = new DocumentRow(element);
      row.show();
      this.#rows.set(row.id, row);
    }
    this.closest("drop-zone")?.addEventListener("files", (event) => this.#upload((event as FilesEvent).detail), { signal });
    this.addEventListener("click", this.#act, { signal });
    document.addEventListener("documents:added", (event) => void this.#show((event as CustomEvent<string>).detail), { signal });
    addEventListener("beforeunload", this.#holdBack, { signal });
    openLive({ onDocument: this.#hear, onOpen: () => this.#reconnected(true), onClose: () => this.#reconnected(false) }, signal);
    this.#askLater();
  }

  disconnectedCallback(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
  }

  #upload(files: File[]): void {
    // Prepended one by one, the last would stand first.
    for (const file of [...files].reverse()) void this.#uploadOne(file);
  }

  async #uploadOne(file: File): Promise<void> {
    const row = this.#addRow({ name: file.name, status: "uploading", progress: 0, size_bytes: file.size });
    const life = new AbortController();
    row.element.addEventListener("parlour:removed", () => life.abort());
    try {
      const accepted = await uploadDocument(file, {
        collection: this.dataset.collection ?? "",
        maxBytes: Number(this.dataset.maxBytes ?? 0),
        onProgress: (share) => row.update({ progress: share }),
        signal: life.signal,
      });
      const known = this.#rows.get(accepted.id);
      if (known && known !== row) known.element.remove();
      this.#rows.set(accepted.id, row);
      row.update({ id: accepted.id, status: accepted.status as Status, progress: 0 });
      await this.#ask(row);
    } catch (error) {
      if (life.signal.aborted) return;
      const why = error instanceof ApiError ? error.message : gettext("This file could not be sent. Try again.");
      row.update({ status: "failed", error: why });
      this.#announce(row, why);
    }
  }

  /** A document that came in another way than by a file: a row for it. */
  async #show(id: string): Promise<void> {
    try {
      const state = await callApi<DocumentState>("GET", `/documents/${id}`, undefined, this.#life.signal);
      this.#rows.set(id, this.#rows.get(id) ?? this.#addRow(state));
    } catch (error) {
      this.#complain(error);
    }
  }

  #addRow(state: Partial<DocumentState>): DocumentRow {
    const template = this.querySelector("template");
    const copy = template?.content.querySelector("tr")?.cloneNode(true) as HTMLTableRowElement;
    this.querySelector("tbody")?.prepend(copy);
    const row = new DocumentRow(copy);
    copy.querySelector("relative-time")?.setAttribute("datetime", new Date().toISOString());
    row.update(state);
    this.#showEmptiness();
    return row;
  }

  #hear = (event: DocumentEvent): void => {
    const row = this.#rows.get(event.document);
    if (!row) return;
    this.#take(row, {
      status: event.status as Status,
      progress: event.progress,
      eta_seconds: event.eta_seconds ?? null,
      error: event.error ?? null,
      pages: event.pages ?? 0,
      pages_done: event.pages_done ?? 0,
    });
  };

  #take(row: DocumentRow, state: Partial<DocumentState>): void {
    const wasUnfinished = isUnfinished(row.status);
    row.update(state);
    this.#summarise();
    if (!wasUnfinished || isUnfinished(row.status)) return;
    this.#announce(row, state.error ?? "");
    if (row.status === "ready" && state.title === undefined) void this.#ask(row);
  }

  /** Ask the API how a document stands; a document that is gone takes its row along. */
  async #ask(row: DocumentRow): Promise<void> {
    try {
      this.#take(row, await callApi<DocumentState>("GET", `/documents/${row.id}`, undefined, this.#life.signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.#remove(row);
    }
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(async () => {
      const open = [...this.#rows.values()].filter((row) => isUnfinished(row.status));
      if (!document.hidden) await Promise.all(open.map((row) => this.#ask(row)));
      if (!this.#life.signal.aborted) this.#askLater();
    }, this.#isConnected ? ASK_MS.connected : ASK_MS.alone);
  }

  #reconnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    for (const row of this.#rows.values()) if (isConnected && isUnfinished(row.status)) void this.#ask(row);
    this.#askLater();
  }

  #act = (event: Event): void => {
    const button = (event.target as Element).closest<HTMLElement>("[data-action]");
    const element = button?.closest("tr");
    if (!button || !element) return;
    const row = this.#rows.get(element.dataset.document ?? "") ?? new DocumentRow(element);
    if (button.dataset.action === "retry") void this.#retry(row);
    else if (button.dataset.action === "cancel") void this.#cancel(row);
    else void this.#delete(row);
  };

  async #retry(row: DocumentRow): Promise<void> {
    try {
      row.update({ status: "queued", progress: 0, eta_seconds: null, error: null });
      await callApi("POST", `/documents/${row.id}/retry`);
    } catch (error) {
      row.update({ status: "failed" });
      this.#complain(error);
    }
    await this.#ask(row);
  }

  /** Stop an upload, or the reading of what is stored already. */
  async #cancel(row: DocumentRow): Promise<void> {
    if (!row.id) {
      row.element.dispatchEvent(new Event("parlour:removed"));
      return this.#remove(row);
    }
    try {
      this.#take(row, await callApi<DocumentState>("POST", `/documents/${row.id}/cancel`));
    } catch (error) {
      this.#complain(error);
      await this.#ask(row);
    }
  }

  async #delete(row: DocumentRow): Promise<void> {
    if (!row.id) {
      row.element.dispatchEvent(new Event("parlour:removed"));
      this.#remove(row);
      return;
    }
    const isSure = await confirmAction({
      title: gettext("Delete “%(name)s”?", { name: row.name }),
      text: gettext("The file and everything read from it are removed for good. Answers that quote it keep their words, but their passages can no longer be opened."),
      verb: gettext("Delete"),
    });
    if (!isSure) return;
    try {
      await callApi("DELETE", `/documents/${row.id}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) return this.#complain(error);
    }
    this.#remove(row);
    showToast({ text: gettext("Deleted “%(name)s”.", { name: row.name }), kind: "success" });
  }

  #remove(row: DocumentRow): void {
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    const hadFocus = row.element.contains(document.activeElement) || document.activeElement === document.body;
    row.element.remove();
    this.#rows.delete(row.id);
    this.#showEmptiness();
    if (hadFocus) next?.querySelector<HTMLElement>("menu-button > button")?.focus();
  }

  #showEmptiness(): void {
    const isEmpty = !this.querySelector("tbody > tr");
    const frame = this.querySelector<HTMLElement>(".table-frame");
    const empty = this.querySelector<HTMLElement>(".documents-empty");
    if (frame) frame.hidden = isEmpty;
    if (empty) empty.hidden = !isEmpty;
    this.#summarise();
  }

  /** The line under the title; a table of several pages keeps the server's. */
  #summarise(): void {
    const line = document.querySelector("[data-summary]");
    if (line && !document.querySelector("nav.pages")) line.textContent = summarise(this.querySelectorAll<HTMLElement>("tbody > tr"));
  }

  #announce(row: DocumentRow, why: string): void {
    const announcer = this.querySelector("[data-part=announcer]");
    const { name } = row;
    if (!announcer) return;
    announcer.textContent = row.status === "ready" ? gettext("%(name)s is ready.", { name }) : gettext("%(name)s failed. %(why)s", { name, why });
  }

  #complain(error: unknown): void {
    showToast({ text: error instanceof ApiError ? error.message : gettext("That did not work. Try again."), kind: "error" });
  }

  /** Leaving would cut the uploads short; what the server has already goes on without us. */
  #holdBack = (event: BeforeUnloadEvent): void => {
    if (this.querySelector('tbody > tr[data-status="uploading"]')) event.preventDefault();
  };
}

customElements.define("document-list", DocumentList);
