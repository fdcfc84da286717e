/* <compare-dialog>: which document another one is compared with. Lists the person's documents that are ready, the
   newest first; typing looks for a name. */

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { gettext } from "../../config/frontend/words.ts";
import { askTask, type Subject } from "./tasks.ts";

interface Listed extends Subject {
  status: string;
}

const TYPING_MS = 200;
const LISTED = 40;

export class CompareDialog extends HTMLElement {
  #first: Subject | null = null;
  #timer = 0;
  #request = new AbortController();

  connectedCallback(): void {
    this.querySelector("form")?.addEventListener("submit", this.#submit);
    this.querySelector("input[type=search]")?.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#list(), TYPING_MS);
    });
    this.addEventListener("change", () => this.#showVerb());
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#request.abort();
  }

  /** Ask what to compare this document with. */
  open(first: Subject): void {
    this.#first = first;
    this.#part("title").textContent = gettext("Compare “%(name)s” with", { name: first.name });
    const search = this.querySelector<HTMLInputElement>("input[type=search]");
    if (search) search.value = "";
    void this.#list();
    this.querySelector("dialog")?.showModal();
  }

  async #list(): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = this.querySelector<HTMLInputElement>("input[type=search]")?.value.trim() ?? "";
    const parameters = new URLSearchParams({ limit: String(LISTED), query });
    try {
      const { items } = await callApi<{ items: Listed[] }>("GET", `/documents?${parameters}`, undefined, signal);
      this.#show(items.filter(({ id, status }) => status === "ready" && id !== this.#first?.id));
    } catch (error) {
      if (!signal.aborted) this.#complain(error instanceof ApiError ? error.message : gettext("That did not work. Try again."));
    }
  }

  #show(others: Listed[]): void {
    this.#part("choices").replaceChildren(...others.map(choice));
    this.#complain(others.length ? "" : gettext("There is no other document of that name that has been read."));
    this.#showVerb();
  }

  #complain(words: string): void {
    this.#part("problem").textContent = words;
    this.#part("problem").hidden = !words;
  }

  get #chosen(): HTMLInputElement | null {
    return this.querySelector("input[type=radio]:checked");
  }

  #showVerb(): void {
    const verb = this.querySelector<HTMLButtonElement>("button[type=submit]");
    if (verb) verb.disabled = !this.#chosen;
  }

  #submit = (event: Event): void => {
    const chosen = this.#chosen;
    if (!this.#first || !chosen) {
      event.preventDefault();
      return;
    }
    askTask({ task: "compare", documents: [this.#first, { id: chosen.value, name: chosen.dataset.name ?? "" }] });
  };

  #part(name: string): HTMLElement {
    return this.querySelector(`[data-part="${name}"]`) as HTMLElement;
  }
}

function choice({ id, name }: Subject): HTMLElement {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "other";
  input.value = id;
  input.dataset.name = name;
  const words = document.createElement("span");
  words.className = "truncate";
  words.textContent = name;
  label.append(input, words);
  return label;
}

customElements.define("compare-dialog", CompareDialog);
