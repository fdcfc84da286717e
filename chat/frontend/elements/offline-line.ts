/** <offline-line>: says that the connection is gone, once it has been for longer than goes unnoticed. */

/** A connection that is back within this time was never gone, as far as anybody noticed. */
const OFFLINE_AFTER_MS = 4000;

export class OfflineLine extends HTMLElement {
  #timer: ReturnType<typeof setTimeout> | undefined;

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  /** Told with every attempt that fails, too; the clock runs from the first. */
  show(isThere: boolean): void {
    if (!isThere) {
      this.#timer ??= setTimeout(() => (this.hidden = false), OFFLINE_AFTER_MS);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.hidden = true;
  }
}

customElements.define("offline-line", OfflineLine);
