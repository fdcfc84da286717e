/** <conversation-list>: the person's conversations in the sidebar, by date, with a search; rename and delete.
 *
 *  It reads its own pages and keeps itself in step through `conversation-event` on the document. The links are
 *  links; the page that shows conversations without loading anew takes their clicks.
 */

import { confirmAction } from "../../../config/frontend/confirm.ts";
import { icon } from "../../../config/frontend/icon.ts";
import { showToast } from "../../../config/frontend/toast-list.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { changeConversation, deleteConversation, listConversations } from "../api.ts";
import { describePeriod } from "../dates.ts";
import { iconButton, make, tell } from "../dom.ts";
import type { ConversationFrame, ConversationSummary } from "../protocol.ts";

const SEARCH_AFTER_MS = 180;
/** Only the open conversation is followed; whether a reply of another has ended is asked for. */
const ASK_RUNNING_MS = 8000;

export class ConversationList extends HTMLElement {
  #items: ConversationSummary[] = [];
  /** Rows by conversation, each with what it shows: a row that stays is not made anew under the pointer. */
  #rows = new Map<string, { row: HTMLElement; shows: string }>();
  #next: string | null = null;
  #query = "";
  #current: string | null = null;
  #reading: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #runningTimer: ReturnType<typeof setTimeout> | undefined;
  #more = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && this.#readMore());

  connectedCallback(): void {
    const search = this.querySelector("input");
    search?.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(search.value.trim()), SEARCH_AFTER_MS);
    });
    document.addEventListener("conversation-event", this.#onEvent);
    void this.refresh();
  }

  disconnectedCallback(): void {
    document.removeEventListener("conversation-event", this.#onEvent);
    this.#reading?.abort();
    this.#more.disconnect();
    clearTimeout(this.#timer);
    clearTimeout(this.#runningTimer);
  }

  /** The conversation that is open on the page. */
  set current(id: string | null) {
    this.#current = id;
    for (const link of this.querySelectorAll<HTMLElement>("[data-conversation]")) {
      if (link.dataset.conversation === id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** Read the first page again: after a while without a connection, anything may have changed. */
  async refresh(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    try {
      const { items, next } = await listConversations(this.#query, null, reading.signal);
      this.#items = items;
      this.#next = next;
      this.#show();
    } catch {
      // Aborted, or offline: what is shown stays, and the next connection reads again.
    }
  }

  /** Whether a reply of this conversation is being written: a dot says so. */
  setRunning(id: string, isRunning: boolean): void {
    const item = this.#items.find((other) => other.id === id);
    if (!item || item.has_running_reply === isRunning) return;
    item.has_running_reply = isRunning;
    this.#show();
  }

  #search(query: string): void {
    if (query === this.#query) return;
    this.#query = query;
    void this.refresh();
  }

  async #readMore(): Promise<void> {
    if (!this.#next) return;
    const cursor = this.#next;
    this.#next = null;
    try {
      const { items, next } = await listConversations(this.#query, cursor);
      const known = new Set(this.#items.map(({ id }) => id));
      this.#items.push(...items.filter(({ id }) => !known.has(id)));
      this.#next = next;
      this.#show();
    } catch {
      // Offline: the next time the end of the list comes into sight asks again.
      this.#next = cursor;
    }
  }

  #onEvent = (event: Event): void => {
    const frame = (event as CustomEvent<ConversationFrame>).detail;
    const item = this.#items.find(({ id }) => id === frame.conversation);
    if (frame.event === "deleted") this.#items = this.#items.filter((other) => other !== item);
    else if (frame.event === "titled" && item) item.title = frame.title ?? item.title;
    else if (frame.event === "message" && item) {
      Object.assign(item, { updated_at: new Date().toISOString(), has_running_reply: true });
      this.#items = [item, ...this.#items.filter((other) => other !== item)];
    } else if (frame.event === "created" || frame.event === "message") {
      // A conversation that is not on the list yet comes with its character and place from the server.
      void this.refresh();
      return;
    }
    this.#show();
  };

  #show(): void {
    const list = this.querySelector(".conversations") as HTMLElement;
    const kept = new Set(this.#items.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!kept.has(id)) this.#rows.delete(id);
    const nodes: HTMLElement[] = [];
    let period = "";
    for (const item of this.#items) {
      const own = this.#query ? gettext("Found") : describePeriod(new Date(item.updated_at));
      if (own !== period) nodes.push(make("h2", { class: "sidebar-heading" }, own));
      period = own;
      nodes.push(this.#rowOf(item));
    }
    if (!nodes.length) nodes.push(make("p", { class: "conversations-empty faint small" }, this.#emptyWords));
    arrange(list, nodes);
    this.#more.disconnect();
    const last = list.lastElementChild;
    if (this.#next && last) this.#more.observe(last);
    clearTimeout(this.#runningTimer);
    const isOtherRunning = this.#items.some(({ id, has_running_reply }) => has_running_reply && id !== this.#current);
    if (isOtherRunning) this.#runningTimer = setTimeout(() => void this.refresh(), ASK_RUNNING_MS);
  }

  get #emptyWords(): string {
    if (this.#query) return gettext("No conversation has “%(query)s” in it.", { query: this.#query });
    return gettext("Your conversations will be listed here.");
  }

  /** The row as it stands, or a new one where it would show something else; one that is being renamed is left alone. */
  #rowOf(item: ConversationSummary): HTMLElement {
    const shows = `${item.has_running_reply}${item.title}`;
    const known = this.#rows.get(item.id);
    if (known && (known.shows === shows || known.row.querySelector("input"))) return known.row;
    const hadFocus = known?.row.contains(document.activeElement);
    const row = this.#row(item);
    this.#rows.set(item.id, { row, shows });
    known?.row.replaceWith(row);
    if (hadFocus) row.querySelector("a")?.focus({ preventScroll: true });
    return row;
  }

  #row(item: ConversationSummary): HTMLElement {
    const title = item.title || gettext("Untitled");
    const dot = item.has_running_reply ? make("span", { class: "running-dot", role: "img", "aria-label": gettext("A reply is being written") }) : null;
    const link = make(
      "a",
      { class: "nav-item", href: `/c/${item.id}`, "data-conversation": item.id, "aria-current": item.id === this.#current ? "page" : null, title },
      make("span", { class: "words" }, title),
      dot,
    );
    link.addEventListener("keydown", (event) => {
      if (event.key === "F2") this.#rename(item, row);
      else if (event.key === "Delete") void this.#delete(item);
      else return;
      event.preventDefault();
    });
    const row = make(
      "div",
      { class: "conversation" },
      link,
      make(
        "div",
        { class: "conversation-actions" },
        iconButton(gettext("Rename “%(title)s”", { title }), icon("pencil"), () => this.#rename(item, row)),
        iconButton(gettext("Delete “%(title)s”", { title }), icon("trash-2"), () => void this.#delete(item)),
      ),
    );
    return row;
  }

  #rename(item: ConversationSummary, row: HTMLElement): void {
    const field = make("input", { class: "input", "aria-label": gettext("Title"), maxlength: 200, value: item.title });
    let isOver = false;
    const end = (isKept: boolean) => {
      if (isOver) return;
      isOver = true;
      const title = field.value.trim();
      if (isKept && title && title !== item.title) {
        item.title = title;
        changeConversation(item.id, { title }).catch(tellFailure);
      }
      field.remove();
      this.#rows.delete(item.id);
      row.replaceWith(this.#rowOf(item));
      this.querySelector<HTMLElement>(`[data-conversation="${item.id}"]`)?.focus({ preventScroll: true });
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) end(true);
      if (event.key === "Escape") end(false);
      event.stopPropagation();
    });
    field.addEventListener("blur", () => end(true));
    row.replaceChildren(field);
    field.focus();
    field.select();
  }

  async #delete(item: ConversationSummary): Promise<void> {
    const isSure = await confirmAction({
      title: gettext("Delete “%(title)s”?", { title: item.title || gettext("Untitled") }),
      text: gettext("The conversation and every message in it will be gone. Documents stay in your library."),
      verb: gettext("Delete"),
    });
    if (!isSure) return;
    try {
      await deleteConversation(item.id);
      this.#items = this.#items.filter((other) => other !== item);
      this.#show();
      tell(this, "conversation-deleted", item.id);
    } catch (error) {
      tellFailure(error as Error);
    }
  }
}

/** Makes these the children of `list`; what is at its place already is not touched, so it keeps focus and hover. */
function arrange(list: HTMLElement, nodes: HTMLElement[]): void {
  const focused = list.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
  const wanted = new Set<Element>(nodes);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  for (const [place, node] of nodes.entries()) {
    if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
  }
  // To be moved takes the focus away.
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

function tellFailure(error: Error): void {
  showToast({ text: error.message, kind: "error" });
}

customElements.define("conversation-list", ConversationList);
