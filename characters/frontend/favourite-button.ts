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

  #toggle = (event: Event): void => {
    const button = (event.target as Element).closest("button");
    if (!button) return;
    // Without script the button sends a form.
    event.preventDefault();
    button.setAttribute("aria-pressed", String(!isPressed(button)));
    if (!button.ariaBusy) void this.#save(button);
  };

  /** Tells the server until it knows what the button shows: one call at a time, so that the last click wins. */
  async #save(button: HTMLButtonElement): Promise<void> {
    button.ariaBusy = "true";
    let isKept = !isPressed(button);
    try {
      while (isKept !== isPressed(button)) {
        await callApi(isKept ? "DELETE" : "PUT", `/characters/${this.dataset["slug"]}/favourite`);
        isKept = !isKept;
      }
    } catch {
      button.setAttribute("aria-pressed", String(isKept));
      showToast({ text: gettext("That did not get through. Try again in a moment."), kind: "error" });
    } finally {
      button.ariaBusy = null;
    }
  }
}

function isPressed(button: HTMLButtonElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

customElements.define("favourite-button", FavouriteButton);
