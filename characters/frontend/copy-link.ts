/* <copy-link> around a button: puts this page's address into the clipboard. */

import { gettext } from "../../config/frontend/words.ts";
import { showToast } from "../../config/frontend/toast-list.ts";

class CopyLink extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.#copy);
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#copy);
  }

  #copy = async (): Promise<void> => {
    const address = `${location.origin}${location.pathname}`;
    try {
      await navigator.clipboard.writeText(address);
      showToast({ text: this.querySelector("button")?.dataset.done ?? "", kind: "success" });
    } catch {
      showToast({ text: gettext("This browser did not allow it. The address is %(address)s", { address }), kind: "error" });
    }
  };
}

customElements.define("copy-link", CopyLink);
