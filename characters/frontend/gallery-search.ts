/* <gallery-search for="cast"> around a GET form: searches as one types, in place of the whole page.

   The answer is the gallery's own page, of which only the element named by `for` is taken over, so that the form
   alone does the same without script. */

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
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.removeEventListener("input", this.#wait);
    this.removeEventListener("submit", this.#submit);
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

  async #search(): Promise<void> {
    const form = this.querySelector("form");
    const shown = document.getElementById(this.getAttribute("for") ?? "");
    if (!form || !shown) return;
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, String(value));
    try {
      const response = await fetch(url, { signal: running.signal });
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.getElementById(shown.id);
      if (!found) throw new Error("no gallery");
      shown.replaceChildren(...found.childNodes);
      history.replaceState(history.state, "", url);
    } catch (error) {
      if (running.signal.aborted) return;
      showToast({ text: gettext("The search did not get through. Try again in a moment."), kind: "error" });
    }
  }
}

customElements.define("gallery-search", GallerySearch);
