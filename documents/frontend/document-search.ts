/* <document-search>: a search box whose results are passages; each opens its document with the passage marked.
   The query stands in the address, so that going back from a passage finds the results again. */

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { gettext, ngettext } from "../../config/frontend/words.ts";

interface Result {
  document: { id: string; name: string };
  page: number;
  text: string;
  start: number;
  end: number;
}

const RESULTS = 10;
const SHOWN_CHARACTERS = 420;
// Long enough that typing does not search for half a word, short enough to feel immediate.
const PAUSE_MS = 250;

class DocumentSearch extends HTMLElement {
  #listeners = new AbortController();
  #request = new AbortController();
  #timer = 0;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.#form?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#search();
    }, { signal });
    this.#form?.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#search(), PAUSE_MS);
    }, { signal });
    const asked = new URLSearchParams(location.search).get("q");
    if (!asked || !this.#input) return;
    this.#input.value = asked;
    void this.#search();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#request.abort();
    clearTimeout(this.#timer);
  }

  get #form(): HTMLFormElement | null {
    return this.querySelector("form");
  }

  get #input(): HTMLInputElement | null {
    return this.querySelector("input");
  }

  get #panel(): HTMLElement | null {
    return this.querySelector(".search-results");
  }

  async #search(): Promise<void> {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = this.#input?.value.trim() ?? "";
    this.#remember(query);
    if (!query) return this.#show(null);
    this.setAttribute("aria-busy", "true");
    try {
      const collection = this.getAttribute("collection");
      const body = { query, k: RESULTS, ...(collection && { collections: [collection] }) };
      const { results } = await callApi<{ results: Result[] }>("POST", "/search", body, signal);
      this.#show(results.length ? this.#list(results) : this.#say(gettext("No passage answers to that. Try other words, or a question.")));
    } catch (error) {
      if (!signal.aborted) this.#show(this.#say(error instanceof ApiError ? error.message : gettext("The search did not work. Try again.")));
    } finally {
      if (!signal.aborted) this.removeAttribute("aria-busy");
    }
  }

  #remember(query: string): void {
    const url = new URL(location.href);
    if (query) url.searchParams.set("q", query);
    else url.searchParams.delete("q");
    history.replaceState(history.state, "", url);
  }

  #show(content: HTMLElement | null): void {
    const panel = this.#panel;
    if (!panel) return;
    panel.hidden = content === null;
    panel.replaceChildren(...(content ? [content] : []));
    this.dispatchEvent(new CustomEvent("search", { detail: content !== null, bubbles: true }));
  }

  #say(words: string): HTMLElement {
    const line = document.createElement("p");
    line.className = "soft search-none";
    line.textContent = words;
    return line;
  }

  #list(results: Result[]): HTMLElement {
    const section = document.createElement("section");
    const heading = document.createElement("h2");
    heading.className = "search-count";
    heading.textContent = ngettext("%(count)s passage", "%(count)s passages", results.length);
    const list = document.createElement("ol");
    list.className = "passages";
    list.append(...results.map((result) => this.#item(result)));
    section.append(heading, list);
    return section;
  }

  #item({ document: source, page, text, start, end }: Result): HTMLLIElement {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.className = "passage";
    link.href = `/documents/${source.id}/?page=${page}&start=${start}&end=${end}#passage`;
    const head = document.createElement("span");
    head.className = "passage-source";
    const name = document.createElement("strong");
    name.textContent = source.name;
    const where = document.createElement("span");
    where.className = "faint";
    where.textContent = gettext("page %(page)s", { page });
    head.append(name, where);
    const words = document.createElement("span");
    words.className = "passage-text";
    words.textContent = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS).trimEnd()}…` : text;
    link.append(head, words);
    item.append(link);
    return item;
  }
}

customElements.define("document-search", DocumentSearch);
