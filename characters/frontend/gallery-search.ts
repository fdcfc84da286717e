/* <gallery-search for="cast"> around the gallery: searches, filters and leafs in place of the whole page.

   The answer is the gallery's own page, of which only the element named by `for` is taken over, so that the form
   and the links alone do the same without script. “Show more” adds to the cards that are there. */

import { gettext } from "../../config/frontend/words.ts";
import { showToast } from "../../config/frontend/toast-list.ts";

// Short enough to feel immediate, long enough that a word is one request.
const PAUSE_MS = 140;

class GallerySearch extends HTMLElement {
  #timer = 0;
  #running: AbortController | null = null;

  connectedCallback(): void {
    this.addEventListener("input", this.#wait);
    this.addEventListener("submit", this.#submit);
    this.addEventListener("click", this.#more);
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.removeEventListener("input", this.#wait);
    this.removeEventListener("submit", this.#submit);
    this.removeEventListener("click", this.#more);
  }

  get #shown(): HTMLElement | null {
    return document.getElementById(this.getAttribute("for") ?? "");
  }

  #wait = (): void => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#search(), PAUSE_MS);
  };

  #submit = (event: Event): void => {
    event.preventDefault();
    clearTimeout(this.#timer);
    void this.#search();
  };

  #more = (event: Event): void => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-more]");
    if (!link || event.defaultPrevented || (event as MouseEvent).metaKey || (event as MouseEvent).ctrlKey) return;
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    void this.#load(new URL(link.href), (found) => this.#append(found));
  };

  async #search(): Promise<void> {
    const form = this.querySelector("form");
    if (!form) return;
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) {
      if (value && !(name === "sort" && value === "featured")) url.searchParams.set(name, String(value));
    }
    await this.#load(url, (found) => {
      this.#shown?.replaceChildren(...found.childNodes);
      history.replaceState(history.state, "", url);
    });
  }

  /** The next cards behind the ones that are there; the keyboard goes on with the first of them. */
  #append(found: Element): void {
    const cards = this.#shown?.querySelector("[data-cast]");
    const added = [...(found.querySelector("[data-cast]")?.children ?? [])];
    cards?.append(...added);
    const pages = found.querySelector(".gallery-pages");
    const more = pages?.querySelector("a[data-more]");
    this.#shown?.querySelector(".gallery-pages")?.replaceChildren(...(more ? [more] : []));
    added[0]?.querySelector("a")?.focus({ preventScroll: true });
  }

  async #load(url: URL, use: (found: Element) => void): Promise<void> {
    const shown = this.#shown;
    if (!shown) return;
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    try {
      const response = await fetch(url, { signal: running.signal });
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.getElementById(shown.id);
      if (!found) throw new Error("no gallery");
      use(found);
    } catch (error) {
      if (running.signal.aborted) return;
      showToast({ text: gettext("The search did not get through. Try again in a moment."), kind: "error" });
    }
  }
}

customElements.define("gallery-search", GallerySearch);
