/* <favourite-button data-slug> around a button with aria-pressed: keeps a character among one's favourites.

   The button answers at once; what the server refuses is taken back and said. */

import { callApi } from "../../config/frontend/api.ts";
import { gettext } from "../../config/frontend/words.ts";
import { showToast } from "../../config/frontend/toast-list.ts";

class FavouriteButton extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.#toggle);
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#toggle);
  }

  #toggle = async (event: Event): Promise<void> => {
    const button = (event.target as Element).closest("button");
    if (!button) return;
    // Without script the button sends a form.
    event.preventDefault();
    const isKept = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!isKept));
    try {
      await callApi(isKept ? "DELETE" : "PUT", `/characters/${this.dataset.slug}/favourite`);
    } catch {
      button.setAttribute("aria-pressed", String(isKept));
      showToast({ text: gettext("That did not get through. Try again in a moment."), kind: "error" });
    }
  };
}

customElements.define("favourite-button", FavouriteButton);
