/* <refreshing-part id data-running>: reads its own page again while something in it is under way. */

const PAUSE_MS = 1500;

class RefreshingPart extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    this.#wait();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if ("running" in this.dataset) this.#timer = window.setTimeout(() => void this.#read(), PAUSE_MS);
  }

  async #read(): Promise<void> {
    try {
      const response = await fetch(location.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.getElementById(this.id);
      if (found) {
        this.replaceChildren(...found.childNodes);
        this.toggleAttribute("data-running", found.hasAttribute("data-running"));
      }
    } catch {
      // The connection is gone; the next look may find it back.
    }
    this.#wait();
  }
}

customElements.define("refreshing-part", RefreshingPart);
