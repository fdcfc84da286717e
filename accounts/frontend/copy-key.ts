/* <copy-key data-done="Copied"> around a <code> and a button: puts the key on the clipboard and says so. */

class CopyKey extends HTMLElement {
  #button: HTMLButtonElement | null = null;

  connectedCallback(): void {
    this.#button = this.querySelector("button");
    // Without a secure origin there is no clipboard; the key is selected by a click instead.
    if (this.#button && navigator.clipboard) {
      this.#button.hidden = false;
      this.#button.addEventListener("click", this.#copy);
    }
    this.querySelector("code")?.addEventListener("click", this.#select);
  }

  disconnectedCallback(): void {
    this.#button?.removeEventListener("click", this.#copy);
    this.querySelector("code")?.removeEventListener("click", this.#select);
  }

  #copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(this.querySelector("code")?.textContent ?? "");
    const words = this.#button?.querySelector("span");
    if (words) words.textContent = this.dataset.done ?? "";
  };

  #select = (): void => {
    const code = this.querySelector("code");
    if (code) getSelection()?.selectAllChildren(code);
  };
}

customElements.define("copy-key", CopyKey);
