/* <document-finder document="id" for="viewer">: finds passages in one document and steps through them in its viewer.

   Passages come in reading order, the best one opens first. The question stands in the address. */

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { gettext } from "../../config/frontend/words.ts";

interface Hit {
  page: number;
  start: number;
  end: number;
  score: number;
}

const RESULTS = 20;

class DocumentFinder extends HTMLElement {
  #listeners = new AbortController();
  #request = new AbortController();
  #hits: Hit[] = [];
  #index = 0;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.addEventListener("submit", this.#submit, { signal });
    this.addEventListener("click", this.#step, { signal });
    this.addEventListener("input", () => this.#forget(), { signal });
    const asked = new URLSearchParams(location.search).get("find");
    if (!asked || !this.#input) return;
    this.#input.value = asked;
    void this.#find();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#request.abort();
  }

  get #input(): HTMLInputElement | null {
    return this.querySelector("input");
  }

  #submit = (event: Event): void => {
    event.preventDefault();
    if (this.#hits.length) this.#show(this.#index + 1);
    else void this.#find();
  };

  #step = (event: Event): void => {
    const button = (event.target as Element).closest<HTMLElement>("[data-step]");
    if (button) this.#show(this.#index + Number(button.dataset["step"]));
  };

  async #find(): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = this.#input?.value.trim() ?? "";
    if (!query) return;
    try {
      const body = { query, k: RESULTS, documents: [this.getAttribute("document")] };
      const { results } = await callApi<{ results: Hit[] }>("POST", "/search", body, signal);
      const best = results[0];
      this.#hits = results.toSorted((a, b) => a.page - b.page || a.start - b.start);
      this.#remember(query);
      if (best) this.#show(this.#hits.indexOf(best));
      else this.#say(gettext("Nothing found"));
    } catch (error) {
      if (!signal.aborted) this.#say(error instanceof ApiError ? error.message : gettext("Nothing could be searched. Try again."));
    }
    this.#allow(this.#hits.length > 1);
  }

  #show(index: number): void {
    const count = this.#hits.length;
    if (!count) return;
    this.#index = (index + count) % count;
    const hit = this.#hits[this.#index] as Hit;
    this.#say(gettext("%(n)s of %(count)s", { n: this.#index + 1, count }));
    const viewer = document.getElementById(this.getAttribute("for") ?? "");
    for (const name of ["page", "start", "end"] as const) viewer?.setAttribute(name, String(hit[name]));
  }

  #forget(): void {
    this.#request.abort();
    this.#hits = [];
    this.#say("");
    this.#allow(false);
  }

  #say(words: string): void {
    const count = this.querySelector(".finder-count");
    if (count) count.textContent = words;
  }

  #allow(isPossible: boolean): void {
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-step]")) button.disabled = !isPossible;
  }

  #remember(query: string): void {
    const url = new URL(location.href);
    url.searchParams.set("find", query);
    history.replaceState(history.state, "", url);
  }
}

customElements.define("document-finder", DocumentFinder);
