/* <theme-switch> around buttons with data-choice="system|light|dark": picks the theme and remembers it.

   The server writes the cookie's theme onto <html data-theme>, so no page flashes in the wrong one. */

import { remember } from "./cookie.ts";

class ThemeSwitch extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.#choose);
    this.#show();
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#choose);
  }

  #choose = (event: Event): void => {
    const button = (event.target as Element).closest<HTMLElement>("[data-choice]");
    const choice = button?.dataset.choice;
    if (!choice) return;
    const root = document.documentElement;
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    remember("theme", choice === "system" ? null : choice);
    this.#show();
  };

  #show(): void {
    const current = document.documentElement.dataset.theme ?? "system";
    for (const button of this.querySelectorAll<HTMLElement>("[data-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.choice === current));
    }
  }
}

customElements.define("theme-switch", ThemeSwitch);
