/* One row of the documents table: shows a document's state in the markup of templates/documents/row.html. */

import { formatBytes, formatNumber, gettext, ngettext } from "../../config/frontend/words.ts";

export type Status = "uploading" | "queued" | "extracting" | "embedding" | "ready" | "failed";

/** What is known of a document; the API's and the socket's events each bring a part. */
export interface DocumentState {
  id: string;
  name: string;
  /** What the document calls itself, where it does. */
  title?: string;
  status: Status;
  progress: number;
  eta_seconds: number | null;
  pages: number;
  pages_done?: number;
  size_bytes: number;
  error: string | null;
}

const LOOK: Record<Status, string> = {
  uploading: "accent",
  queued: "",
  extracting: "accent",
  embedding: "accent",
  ready: "success",
  failed: "danger",
};

function statusWords(status: Status): string {
  switch (status) {
    case "uploading":
      return gettext("Uploading");
    case "queued":
      return gettext("Queued");
    case "extracting":
      return gettext("Reading");
    case "embedding":
      return gettext("Embedding");
    case "ready":
      return gettext("Ready");
    case "failed":
      return gettext("Failed");
  }
}

/** “20 seconds left”: rounded as far as a guess deserves. */
export function timeLeft(seconds: number): string {
  if (seconds < 1) return gettext("nearly done");
  if (seconds < 10) return gettext("seconds left");
  if (seconds < 50) {
    const tens = Math.round(seconds / 10) * 10;
    return ngettext("%(count)s second left", "%(count)s seconds left", tens);
  }
  return ngettext("%(count)s minute left", "%(count)s minutes left", Math.max(1, Math.round(seconds / 60)));
}

/** Whether a title says no more than the file's name does. */
function isFileName(title: string, name: string): boolean {
  return title === name.replace(/\.[^.]*$/, "").replace(/[_-]/g, " ").trim();
}

export function isUnfinished(status: string): boolean {
  return status === "uploading" || status === "queued" || status === "extracting" || status === "embedding";
}

/** “7 documents, 1,156 pages, 70.3 MB”, of rows in the table. */
export function summarise(rows: Iterable<HTMLElement>): string {
  let [documents, pages, bytes] = [0, 0, 0];
  for (const { dataset } of rows) {
    documents += 1;
    pages += Number(dataset.pages ?? 0);
    bytes += Number(dataset.bytes ?? 0);
  }
  if (!documents) return gettext("What answers can quote, page and passage.");
  const parts = [ngettext("%(count)s document", "%(count)s documents", documents)];
  if (pages) parts.push(ngettext("%(count)s page", "%(count)s pages", pages));
  return [...parts, formatBytes(bytes)].join(", ");
}

export class DocumentRow {
  constructor(readonly element: HTMLTableRowElement) {}

  get id(): string {
    return this.element.dataset.document ?? "";
  }

  get name(): string {
    return this.element.dataset.name ?? "";
  }

  get status(): Status {
    return (this.element.dataset.status ?? "queued") as Status;
  }

  /** Take over what is new and show it. */
  update(state: Partial<DocumentState>): void {
    const data = this.element.dataset;
    if (state.id !== undefined) data.document = state.id;
    if (state.name !== undefined) data.name = state.name;
    if (state.status !== undefined) data.status = state.status;
    if (state.progress !== undefined) data.progress = String(state.progress);
    if (state.eta_seconds !== undefined) data.eta = state.eta_seconds === null ? "" : String(state.eta_seconds);
    if (state.pages_done !== undefined) data.pagesDone = String(state.pages_done);
    if (state.pages) {
      data.pages = String(state.pages);
      const part = this.#part("pages");
      part.textContent = formatNumber(state.pages);
      part.dataset.unit = ngettext("page", "pages", state.pages);
    }
    if (state.size_bytes) {
      data.bytes = String(state.size_bytes);
      this.#part("size").textContent = formatBytes(state.size_bytes);
    }
    if (state.title !== undefined) this.#part("title").textContent = isFileName(state.title, this.name) ? "" : state.title;
    if (state.error !== undefined) this.#part("why").textContent = state.error ?? "";
    this.show();
  }

  show(): void {
    const { status, name, id } = this;
    this.#showName(name, status === "ready" ? `/documents/${id}/` : "");
    this.#showState(status);
    this.#part("title").hidden = !this.#part("title").textContent;
    this.#part("why").hidden = status !== "failed" || !this.#part("why").textContent;
    this.#toggle("[data-action=retry]", status === "failed" && id !== "" && this.#mayWrite);
    this.#toggle("[data-action=cancel]", isUnfinished(status) && this.#mayWrite);
    this.#toggle("[data-action=delete]", this.#mayWrite);
    this.#toggle("[data-part=open], [data-task], [data-part=tasks-end]", status === "ready");
    this.#toggle("[data-part=download]", id !== "");
    this.#part("open").setAttribute("href", `/documents/${id}/`);
    this.#part("download").setAttribute("href", `/api/v1/documents/${id}/file`);
  }

  #showName(name: string, href: string): void {
    const link = this.#part("name");
    link.textContent = name;
    link.title = name;
    if (href) link.setAttribute("href", href);
    else link.removeAttribute("href");
    this.element.querySelector("menu-button > button")?.setAttribute("aria-label", gettext("More about %(name)s", { name }));
  }

  #showState(status: Status): void {
    const badge = this.#part("state");
    badge.className = `badge ${LOOK[status]}`;
    badge.textContent = statusWords(status);
    const isMoving = isUnfinished(status);
    const share = Number(this.element.dataset.progress ?? 0);
    const bar = this.#part("progress") as HTMLProgressElement;
    bar.hidden = !isMoving;
    // Queued has no share yet; a bar without a value breathes.
    if (status === "queued" || share <= 0) bar.removeAttribute("value");
    else bar.value = share;
    bar.setAttribute("aria-label", gettext("Progress of %(name)s", { name: this.name }));
    const left = this.#part("left");
    const eta = this.element.dataset.eta;
    const words = [status === "extracting" ? this.#pagesDone() : "", eta ? timeLeft(Number(eta)) : ""].filter(Boolean);
    left.hidden = !isMoving || !words.length;
    left.textContent = words.join(", ");
  }

  /** “page 12 of 80”, once there is something to tell. */
  #pagesDone(): string {
    const [done, pages] = [Number(this.element.dataset.pagesDone ?? 0), Number(this.element.dataset.pages ?? 0)];
    return done && pages > 1 ? gettext("page %(done)s of %(pages)s", { done: formatNumber(done), pages: formatNumber(pages) }) : "";
  }

  get #mayWrite(): boolean {
    return !this.element.closest("[data-read-only]");
  }

  #toggle(selector: string, isShown: boolean): void {
    for (const element of this.element.querySelectorAll<HTMLElement>(selector)) element.hidden = !isShown;
  }

  #part(name: string): HTMLElement {
    const found = this.element.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`The row has no part “${name}”.`);
    return found;
  }
}
