/* <menu-button>: a button and, after it, an element with `popover`; opens it beside the button.

   With class "menu" the content is a menu: arrow keys, Home, End and first letters move; choosing closes.
   With class "popover" it is anything else, and Tab moves through it. Set align="end" to line up the ends. */

import { placeBeside } from "./floating.ts";

const ITEMS = "a[href], button:not(:disabled), [role^=menuitem]";
let count = 0;

class MenuButton extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const button = this.#button;
    const panel = this.#panel;
    if (!button || !panel) return;
    panel.id ||= `menu-${++count}`;
    button.setAttribute("aria-controls", panel.id);
    button.setAttribute("aria-expanded", "false");
    if (this.#isMenu) {
      button.setAttribute("aria-haspopup", "menu");
      panel.setAttribute("role", "menu");
      this.#nameItems();
      panel.addEventListener("keydown", this.#moveFocus, { signal });
      panel.addEventListener("click", this.#closeAfterChoice, { signal });
    }
    button.popoverTargetElement = panel;
    panel.addEventListener("toggle", (event) => this.#follow(event as ToggleEvent), { signal });
    button.addEventListener("keydown", this.#openWithArrow, { signal });
    for (const happening of ["resize", "scroll"]) {
      addEventListener(happening, this.#place, { signal, capture: true, passive: true });
    }
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  get #button(): HTMLButtonElement | null {
    return this.querySelector<HTMLButtonElement>(":scope > button");
  }

  get #panel(): HTMLElement | null {
    return this.querySelector<HTMLElement>(":scope > [popover]");
  }

  get #isMenu(): boolean {
    return this.#panel?.classList.contains("menu") ?? false;
  }

  get #items(): HTMLElement[] {
    return [...(this.#panel?.querySelectorAll<HTMLElement>(ITEMS) ?? [])].filter((item) => item.offsetParent !== null);
  }

  #nameItems(): void {
    for (const item of this.#panel?.querySelectorAll(ITEMS) ?? []) {
      if (!item.hasAttribute("role") && !item.closest("theme-switch")) item.setAttribute("role", "menuitem");
    }
  }

  #follow(event: ToggleEvent): void {
    const isOpen = event.newState === "open";
    this.#button?.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    if (this.#isMenu) this.#nameItems();
    this.#place();
    if (this.#isMenu) this.#items[0]?.focus({ preventScroll: true });
  }

  #place = (): void => {
    const panel = this.#panel;
    if (!panel?.matches(":popover-open") || !this.#button) return;
    const align = this.getAttribute("align") === "end" ? "end" : "start";
    placeBeside(panel, this.#button, this.getAttribute("side") === "above" ? "above" : "below", align);
  };

  #openWithArrow = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    this.#panel?.showPopover();
  };

  #moveFocus = (event: KeyboardEvent): void => {
    const items = this.#items;
    const at = items.indexOf(document.activeElement as HTMLElement);
    let next: HTMLElement | undefined;
    if (event.key === "ArrowDown") next = items[(at + 1) % items.length];
    else if (event.key === "ArrowUp") next = items.at(at < 1 ? -1 : at - 1);
    else if (event.key === "Home") next = items[0];
    else if (event.key === "End") next = items.at(-1);
    else if (event.key === "Tab") this.#panel?.hidePopover();
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLowerCase();
      next = [...items.slice(at + 1), ...items].find((item) => item.textContent?.trim().toLowerCase().startsWith(letter));
    }
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  #closeAfterChoice = (event: Event): void => {
    const item = (event.target as Element).closest(ITEMS);
    if (item && !item.closest("theme-switch")) this.#panel?.hidePopover();
  };
}

customElements.define("menu-button", MenuButton);
