/* <side-bar>: the house's sidebar. Folds to icons on wide screens and remembers it; is a sheet on phones. */

import { remember } from "./cookie.ts";

class SideBar extends HTMLElement {
  #listeners = new AbortController();
  #opener: HTMLElement | null = null;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    document.addEventListener("click", this.#react, { signal });
    document.addEventListener("keydown", this.#onKey, { signal });
    // A sheet left open would cover the page once the window is wide again.
    matchMedia("(min-width: 48.01rem)").addEventListener("change", () => this.close(), { signal });
    this.#nameFold();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  open(): void {
    this.#opener = document.activeElement as HTMLElement | null;
    this.dataset.open = "";
    this.#main?.setAttribute("inert", "");
    this.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
  }

  close(): void {
    if (!("open" in this.dataset)) return;
    delete this.dataset.open;
    this.#main?.removeAttribute("inert");
    this.#opener?.focus({ preventScroll: true });
  }

  get #main(): HTMLElement | null {
    return document.getElementById("main");
  }

  #react = (event: Event): void => {
    const target = event.target as Element;
    if (target.closest("[data-sidebar-open]")) this.open();
    else if (target.closest("[data-sidebar-close]")) this.close();
    else if (target.closest("[data-sidebar-fold]")) this.#fold();
    else if (this.contains(target) && target.closest("a[href]")) this.close();
  };

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") this.close();
  };

  #fold(): void {
    const root = document.documentElement;
    if (root.dataset.sidebar === "folded") delete root.dataset.sidebar;
    else root.dataset.sidebar = "folded";
    remember("sidebar", root.dataset.sidebar ?? null);
    this.#nameFold();
  }

  #nameFold(): void {
    const isFolded = document.documentElement.dataset.sidebar === "folded";
    for (const item of this.querySelectorAll(".nav-item")) {
      const words = item.querySelector(".words")?.textContent?.trim();
      if (isFolded && words) {
        item.setAttribute("data-tooltip", words);
        item.setAttribute("data-tooltip-side", "end");
        item.setAttribute("aria-label", words);
      } else {
        item.removeAttribute("data-tooltip");
        item.removeAttribute("aria-label");
      }
    }
    const button = this.querySelector<HTMLElement>("[data-sidebar-fold]");
    button?.setAttribute("aria-label", (isFolded ? button.dataset.unfold : button.dataset.fold) ?? "");
  }
}

customElements.define("side-bar", SideBar);
