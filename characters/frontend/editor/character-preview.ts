/* <character-preview>: a chat with the character as the form has it now. Nothing of it is stored: the words go up
   with each message and the answer comes back as it is written. */

import { apiHeaders, readError } from "../../../config/frontend/api.ts";
import { gettext } from "../../../config/frontend/words.ts";
import type { Fields } from "./fields.ts";

interface Said {
  role: "user" | "assistant";
  text: string;
}

export class CharacterPreview extends HTMLElement {
  /** What the form says; set by the editor around. */
  read: () => Fields = () => ({});
  #said: Said[] = [];
  #running: AbortController | null = null;
  #greeting: string | null = null;

  connectedCallback(): void {
    this.addEventListener("submit", this.#submit);
    this.addEventListener("keydown", this.#onKey);
    this.querySelector("[data-again]")?.addEventListener("click", () => this.begin());
  }

  disconnectedCallback(): void {
    this.#running?.abort();
    this.removeEventListener("submit", this.#submit);
    this.removeEventListener("keydown", this.#onKey);
  }

  get #thread(): HTMLElement {
    return this.querySelector(".preview-thread") as HTMLElement;
  }

  get #field(): HTMLTextAreaElement {
    return this.querySelector("textarea") as HTMLTextAreaElement;
  }

  /** An empty thread with the greeting. */
  begin(): void {
    this.#running?.abort();
    this.#said = [];
    this.#thread.replaceChildren();
    this.#greeting = null;
    this.refresh();
  }

  /** Takes over a changed greeting, as long as nobody has said anything. */
  refresh(): void {
    if (this.#said.some(({ role }) => role === "user")) return;
    const { greeting, name } = this.read();
    const text = String(greeting ?? "").trim();
    if (text === this.#greeting) return;
    this.#greeting = text;
    this.#said = text ? [{ role: "assistant", text }] : [];
    const filled = text.replaceAll("{{char}}", String(name ?? "")).replaceAll("{{user}}", this.dataset.person ?? gettext("you"));
    this.#thread.replaceChildren(...(text ? [bubble("assistant", filled)] : []));
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target !== this.#field) return;
    event.preventDefault();
    this.querySelector("form")?.requestSubmit();
  };

  #submit = (event: Event): void => {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (!text || this.#running) return;
    this.#field.value = "";
    void this.#answer(text);
  };

  async #answer(text: string): Promise<void> {
    const said: Said = { role: "assistant", text: "" };
    const shown = bubble("assistant", "");
    shown.setAttribute("aria-busy", "true");
    this.#said.push({ role: "user", text }, said);
    this.#thread.append(bubble("user", text), shown);
    this.#toEnd();
    const running = (this.#running = new AbortController());
    try {
      for await (const part of this.#ask(running.signal)) {
        said.text += part;
        emphasise(shown, said.text);
        this.#toEnd();
      }
    } catch (error) {
      if (running.signal.aborted) return;
      shown.classList.add("failed");
      shown.textContent = [said.text, (error as Error).message].filter(Boolean).join("\n");
      // What broke is no answer, and the next message does not carry it.
      this.#said = this.#said.filter((other) => other !== said);
    } finally {
      shown.removeAttribute("aria-busy");
      if (this.#running === running) this.#running = null;
    }
  }

  async *#ask(signal: AbortSignal): AsyncGenerator<string> {
    const { slug } = this.dataset;
    const body = JSON.stringify({ character: slug ?? null, fields: this.read(), messages: this.#said.slice(0, -1) });
    const headers = { ...apiHeaders(), "Content-Type": "application/json" };
    const response = await fetch("/characters/preview", { method: "POST", headers, body, signal });
    if (!response.ok || !response.body) throw readError(response.status, await response.text());
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let waiting = "";
    for (;;) {
      const { done, value } = await reader.read();
      waiting += value ?? "";
      const lines = waiting.split("\n");
      waiting = done ? "" : (lines.pop() ?? "");
      for (const line of lines) {
        if (!line) continue;
        const event = JSON.parse(line) as { text?: string; error?: string };
        if (event.error) throw new Error(event.error);
        if (event.text) yield event.text;
      }
      if (done) return;
    }
  }

  #toEnd(): void {
    this.#thread.scrollTop = this.#thread.scrollHeight;
  }
}

function bubble(role: Said["role"], text: string): HTMLElement {
  const element = document.createElement("p");
  element.className = `preview-said ${role}`;
  emphasise(element, text);
  return element;
}

/** The text with what stands between stars in italics: the one mark of Markdown that characters live by. */
function emphasise(element: HTMLElement, text: string): void {
  const parts = text.split(/(\*{1,2}[^*\n]+\*{1,2})/);
  element.replaceChildren(
    ...parts.map((part) => {
      if (!/^\*.+\*$/.test(part)) return document.createTextNode(part);
      const marked = document.createElement(part.startsWith("**") ? "strong" : "em");
      marked.textContent = part.replace(/^\*+|\*+$/g, "");
      return marked;
    }),
  );
}

customElements.define("character-preview", CharacterPreview);
