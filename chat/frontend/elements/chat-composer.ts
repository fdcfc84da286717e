/** <chat-composer>: where the person writes. The template renders its form; this brings it to life.
 *
 *  Tells `composer-send` with the text and the documents, `composer-stop`, and `composer-edit-last`. The draft of
 *  each conversation is kept until the server has it.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { tell } from "../dom.ts";
import { keepDraft, readDraft } from "../drafts.ts";
import type { DocumentState } from "../protocol.ts";
import { AttachmentCard } from "./attachment-card.ts";
import { TaskOffers } from "./task-offers.ts";

export interface Composed {
  text: string;
  documents: DocumentState[];
}

export class ChatComposer extends HTMLElement {
  #conversation: string | null = null;
  #isRunning = false;
  #isOpen = false;
  #offers = new TaskOffers();

  connectedCallback(): void {
    this.#field.addEventListener("input", () => this.#onInput());
    this.#field.addEventListener("keydown", this.#onKey);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#stop.addEventListener("click", () => tell(this, "composer-stop", null));
    const files = this.querySelector<HTMLInputElement>("input[type=file]");
    this.querySelector("[data-attach]")?.addEventListener("click", () => files?.click());
    this.addEventListener("attachment-remove", (event) => this.#detach(event.target as AttachmentCard));
    this.addEventListener("attachment-ready", () => this.#showButtons());
    this.#shelf.after(this.#offers);
    // What is asked about the attached documents takes them along.
    this.#offers.addEventListener("task-choose", () => {
      this.#shelf.replaceChildren();
      this.#showButtons();
    });
  }

  get #form(): HTMLFormElement {
    return this.querySelector("form") as HTMLFormElement;
  }

  get #field(): HTMLTextAreaElement {
    return this.querySelector("textarea") as HTMLTextAreaElement;
  }

  get #submit(): HTMLButtonElement {
    return this.querySelector("[data-send]") as HTMLButtonElement;
  }

  get #stop(): HTMLButtonElement {
    return this.querySelector("[data-stop]") as HTMLButtonElement;
  }

  get #shelf(): HTMLElement {
    return this.querySelector(".attachments") as HTMLElement;
  }

  get #cards(): AttachmentCard[] {
    return [...this.#shelf.querySelectorAll<AttachmentCard>("attachment-card")];
  }

  get text(): string {
    return this.#field.value;
  }

  set text(text: string) {
    this.#field.value = text;
    this.#onInput();
  }

  set placeholder(text: string) {
    this.#field.placeholder = text;
  }

  set isRunning(isRunning: boolean) {
    if (this.#isRunning === isRunning) return;
    const hadFocus = this.contains(document.activeElement) && document.activeElement?.matches("[data-send], [data-stop]");
    this.#isRunning = isRunning;
    this.#showButtons();
    if (hadFocus) this.#field.focus({ preventScroll: true });
  }

  /** Take up the draft of a conversation, null being the next one. */
  open(conversation: string | null): void {
    // What was typed while the first conversation was still on its way belongs to it.
    const typed = this.#isOpen ? "" : this.#field.value;
    this.#isOpen = true;
    this.#conversation = conversation;
    this.#shelf.replaceChildren();
    this.text = typed || readDraft(conversation);
  }

  /** The server has what was sent: the draft is what has been written since. */
  settle(conversation: string): void {
    if (!this.#conversation) keepDraft(null, "");
    this.#conversation = conversation;
    keepDraft(conversation, this.#field.value);
  }

  override focus(): void {
    this.#field.focus({ preventScroll: true });
  }

  attach(files: File[]): void {
    for (const file of files) {
      const card = new AttachmentCard();
      this.#shelf.append(card);
      void card.upload(file);
    }
    this.#showButtons();
    this.focus();
  }

  /** Attach a document that is already stored. */
  attachDocument(state: DocumentState): void {
    const card = new AttachmentCard();
    this.#shelf.append(card);
    card.show(state);
    this.#showButtons();
  }

  showDocument(state: DocumentState): void {
    for (const card of this.#cards) if (card.document?.id === state.id) card.show(state);
    this.#showButtons();
  }

  #detach(card: AttachmentCard): void {
    card.remove();
    this.#showButtons();
    this.focus();
  }

  get #isUploading(): boolean {
    return this.#cards.some((card) => !card.document && !card.classList.contains("failed"));
  }

  #send(): void {
    const text = this.#field.value.trim();
    if (!text || this.#isRunning || this.#isUploading) return;
    const documents = this.#cards.flatMap((card) => card.document ?? []);
    if (!tell<Composed>(this, "composer-send", { text, documents })) return;
    this.#shelf.replaceChildren();
    this.#field.value = "";
    this.#grow();
    this.#showButtons();
  }

  #onInput(): void {
    if (this.#isOpen) keepDraft(this.#conversation, this.#field.value);
    this.#grow();
    this.#showButtons();
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      // On a phone the keyboard's return key makes lines; the button sends.
      if (matchMedia("(pointer: coarse)").matches) return;
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && this.#field.value === "" && !event.shiftKey) {
      if (tell(this, "composer-edit-last", null)) return;
      event.preventDefault();
    }
  };

  /** The field grows with its words; the style sheet says how far. */
  #grow(): void {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
  }

  #showButtons(): void {
    this.#submit.hidden = this.#isRunning;
    this.#stop.hidden = !this.#isRunning;
    const isBlocked = !this.#field.value.trim() || this.#isUploading;
    this.#submit.setAttribute("aria-disabled", String(isBlocked));
    this.#submit.setAttribute("aria-label", this.#isUploading ? gettext("The upload is not through yet") : gettext("Send"));
    this.#shelf.hidden = !this.#cards.length;
    const isFree = !this.#isRunning && !this.#isUploading && !this.#field.value.trim();
    this.#offers.show(isFree ? this.#cards.flatMap((card) => card.document ?? []) : []);
  }
}

customElements.define("chat-composer", ChatComposer);
