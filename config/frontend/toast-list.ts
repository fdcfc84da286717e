/* <toast-list>: what just happened, said once. Django's messages are rendered into it; scripts add with
   `showToast`. Errors and warnings stay until closed; the rest leaves by itself, but not under the pointer. */

import { icon } from "./icon.ts";
import { gettext } from "./words.ts";

export type ToastKind = "info" | "success" | "warning" | "error";

export interface Toast {
  text: string;
  kind?: ToastKind;
  /** A command beside the text: its words and what it does. */
  action?: { words: string; run: () => void };
}

/** Say something in the corner of the page. */
export function showToast(toast: Toast): void {
  document.dispatchEvent(new CustomEvent<Toast>("parlour:toast", { detail: toast }));
}

const LIFE_MS = 6000;

class ToastList extends HTMLElement {
  connectedCallback(): void {
    document.addEventListener("parlour:toast", this.#add);
    for (const toast of this.querySelectorAll<HTMLElement>(".toast")) this.#enliven(toast);
  }

  disconnectedCallback(): void {
    document.removeEventListener("parlour:toast", this.#add);
  }

  #add = (event: Event): void => {
    const { text, kind = "info", action } = (event as CustomEvent<Toast>).detail;
    const toast = document.createElement("div");
    toast.className = `toast ${kind}`;
    toast.setAttribute("role", kind === "error" ? "alert" : "status");
    const words = document.createElement("p");
    words.textContent = text;
    toast.append(kindIcon(kind), words);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button small";
      button.textContent = action.words;
      button.addEventListener("click", () => {
        toast.remove();
        action.run();
      });
      toast.append(button);
    }
    this.append(toast);
    this.#enliven(toast);
  };

  #enliven(toast: HTMLElement): void {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-button small";
    close.setAttribute("aria-label", gettext("Close"));
    close.append(icon("x"));
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (toast.matches(".error, .warning")) return;
    let timer = setTimeout(() => toast.remove(), LIFE_MS);
    const hold = () => clearTimeout(timer);
    const release = () => {
      clearTimeout(timer);
      timer = setTimeout(() => toast.remove(), LIFE_MS / 2);
    };
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("pointerleave", release);
    toast.addEventListener("focusout", release);
  }
}

function kindIcon(kind: ToastKind): SVGSVGElement {
  if (kind === "success") return icon("circle-check");
  if (kind === "warning") return icon("triangle-alert");
  if (kind === "error") return icon("circle-alert");
  return icon("info");
}

customElements.define("toast-list", ToastList);
