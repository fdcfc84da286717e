/* <live-part data-every="3">: a part of the page that is fetched again every so many seconds, while it is looked at.

   The server draws it (`?part`), and says with the part how soon to ask again. The focus stays on the button it was
   on, and nothing changes under a dialog that is being answered. */

class LivePart extends HTMLElement {
  #timer = 0;
  #ending: AbortController | null = null;

  connectedCallback(): void {
    this.#ending = new AbortController();
    document.addEventListener("visibilitychange", () => !document.hidden && void this.#renew(), { signal: this.#ending.signal });
    this.#wait();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#ending?.abort();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const seconds = Number((this.firstElementChild as HTMLElement | null)?.dataset["every"] ?? this.dataset["every"]);
    if (seconds > 0) this.#timer = window.setTimeout(() => void this.#renew(), seconds * 1000);
  }

  async #renew(): Promise<void> {
    clearTimeout(this.#timer);
    if (!document.hidden && !document.querySelector("dialog[open]")) {
      try {
        const response = await fetch("?part", { headers: { Accept: "text/html" }, signal: this.#ending?.signal ?? null });
        if (response.ok && !response.redirected) this.#replace(await response.text());
      } catch {
        // The server restarts, or the network is away: what is shown stays, and the next turn asks again.
      }
    }
    if (this.isConnected) this.#wait();
  }

  #replace(text: string): void {
    if (document.querySelector("dialog[open]")) return;
    const drawn = new DOMParser().parseFromString(text, "text/html").body;
    const focused = this.contains(document.activeElement) ? document.activeElement?.id : "";
    const scrolled = [...this.querySelectorAll(".table-scroll, .table-frame")].map((each) => each.scrollLeft);
    this.replaceChildren(...drawn.childNodes);
    this.querySelectorAll(".table-scroll, .table-frame").forEach((each, at) => (each.scrollLeft = scrolled[at] ?? 0));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

customElements.define("live-part", LivePart);
