/* <character-editor data-slug>: the form and the chat beside it. What is typed is kept as a draft on the server, for
   a character that has been saved once; saving is the form's own business. */

import { callApi } from "../../../config/frontend/api.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { CharacterPreview } from "./character-preview.ts";
import "./dialogue-editor.ts";
import { PROMPT_FIELDS, readFields } from "./fields.ts";
import "./picture-shelf.ts";
import "./portrait-crop.ts";
import "./text-list.ts";
import "./token-count.ts";
import { describeTokens } from "./token-words.ts";
import { estimateTokens } from "./tokens.ts";

const DRAFT_PAUSE_MS = 1200;

class CharacterEditor extends HTMLElement {
  #timer = 0;
  #isDirty = false;
  #isLeaving = false;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.#isDirty = "dirty" in this.dataset;
    if (this.dataset.slug) this.#preview.dataset.slug = this.dataset.slug;
    this.#preview.read = () => readFields(this.#form);
    this.#preview.begin();
    this.#showTotal();
    this.#form.addEventListener("input", () => this.#changed(), { signal });
    this.#form.addEventListener("change", () => this.#changed(), { signal });
    this.#form.addEventListener("submit", () => (this.#isLeaving = true), { signal });
    this.querySelector("[data-try]")?.addEventListener("click", () => this.#showPreview(true), { signal });
    this.querySelector("[data-close]")?.addEventListener("click", () => this.#showPreview(false), { signal });
    this.addEventListener("keydown", this.#onKey, { signal });
    addEventListener("beforeunload", this.#onLeave, { signal });
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#listeners.abort();
  }

  get #form(): HTMLFormElement {
    return this.querySelector(".editor-form") as HTMLFormElement;
  }

  get #preview(): CharacterPreview {
    return this.querySelector("character-preview") as CharacterPreview;
  }

  #changed(): void {
    this.#isDirty = true;
    this.#preview.refresh();
    this.#showTotal();
    clearTimeout(this.#timer);
    if (this.dataset.slug) this.#timer = window.setTimeout(() => void this.#keep(), DRAFT_PAUSE_MS);
    else this.#say(gettext("Not saved yet"));
  }

  async #keep(): Promise<void> {
    try {
      const { changed } = await callApi<{ changed: string[] }>("PUT", `/characters/${this.dataset.slug}/draft`, { fields: readFields(this.#form) });
      this.#isDirty = false;
      this.#say(changed.length ? gettext("Kept as a draft; only you see it until you save") : "");
    } catch {
      this.#say(gettext("The draft could not be kept. Save before you leave."));
    }
  }

  #say(words: string): void {
    const state = this.querySelector("[data-state]");
    if (state && state.textContent !== words) state.textContent = words;
  }

  #showTotal(): void {
    const fields = readFields(this.#form);
    const total = PROMPT_FIELDS.reduce((sum, name) => sum + estimateTokens(String(fields[name] ?? "")), 0);
    const shown = this.querySelector("[data-total]");
    if (shown) shown.textContent = describeTokens(total);
  }

  /** On a narrow screen the chat lies over the form. */
  #showPreview(isOpen: boolean): void {
    this.toggleAttribute("data-trying", isOpen);
    const button = this.querySelector<HTMLElement>("[data-try]");
    button?.setAttribute("aria-expanded", String(isOpen));
    this.#form.toggleAttribute("inert", isOpen);
    if (isOpen) this.#preview.querySelector("textarea")?.focus();
    else button?.focus();
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.hasAttribute("data-trying")) this.#showPreview(false);
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  };

  #onLeave = (event: BeforeUnloadEvent): void => {
    if (this.#isDirty && !this.#isLeaving) event.preventDefault();
  };
}

customElements.define("character-editor", CharacterEditor);
