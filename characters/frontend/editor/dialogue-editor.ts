/* <dialogue-editor for="id">: the example dialogue of the named textarea as conversations. The textarea stays what
   is sent; a text that is no dialogue, and whoever prefers it, is edited there. */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { readDialogue, writeDialogue, type Example, type Turn } from "./dialogue.ts";

class DialogueEditor extends HTMLElement {
  #examples: Example[] = [];
  #rows = document.createElement("div");
  #toggle = document.createElement("button");
  #isText = false;

  connectedCallback(): void {
    if (this.#rows.isConnected) return;
    this.#rows.className = "dialogue-examples";
    this.#toggle.type = "button";
    this.#toggle.className = "button small quiet";
    this.#toggle.addEventListener("click", () => this.#setText(!this.#isText));
    this.append(this.#rows, this.#toggle);
    this.#setText(readDialogue(this.#source.value) === null);
  }

  get #source(): HTMLTextAreaElement {
    return document.getElementById(this.getAttribute("for") ?? "") as HTMLTextAreaElement;
  }

  #setText(isText: boolean): void {
    const examples = readDialogue(this.#source.value);
    this.#isText = isText || examples === null;
    this.#examples = examples ?? [];
    this.#source.hidden = !this.#isText;
    this.#rows.hidden = this.#isText;
    this.#toggle.textContent = this.#isText ? gettext("Edit as a conversation") : gettext("Edit as text");
    this.#toggle.disabled = this.#isText && examples === null;
    if (!this.#isText) this.#draw();
  }

  #draw(): void {
    const examples = this.#examples.map((turns, place) => this.#example(turns, place));
    const add = command("plus", gettext("Add an example"), () => this.#addExample());
    this.#rows.replaceChildren(...examples, add);
  }

  #example(turns: Example, place: number): HTMLElement {
    const box = document.createElement("section");
    box.className = "dialogue-example";
    box.setAttribute("aria-label", gettext("Example %(number)s", { number: place + 1 }));
    const next = (speaker: Turn["speaker"], words: string): HTMLButtonElement => command("plus", words, () => this.#addTurn(turns, speaker));
    const foot = document.createElement("div");
    foot.className = "row";
    foot.append(
      next("user", gettext("The person")),
      next("char", gettext("The character")),
      command("x", gettext("Remove the example"), () => this.#removeExample(place)),
    );
    box.append(...turns.map((turn) => this.#turn(turns, turn)), foot);
    return box;
  }

  #turn(turns: Example, turn: Turn): HTMLElement {
    const row = document.createElement("div");
    row.className = `dialogue-turn ${turn.speaker}`;
    const words = turn.speaker === "user" ? gettext("The person says") : gettext("The character says");
    const field = document.createElement("textarea");
    field.className = "textarea";
    field.rows = Math.min(8, Math.max(1, turn.text.split("\n").length));
    field.value = turn.text;
    field.placeholder = words;
    field.setAttribute("aria-label", words);
    field.addEventListener("input", (event) => {
      event.stopPropagation();
      turn.text = field.value;
      this.#write();
    });
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "icon-button small";
    remove.setAttribute("aria-label", gettext("Remove this turn"));
    remove.append(icon("x"));
    remove.addEventListener("click", () => {
      turns.splice(turns.indexOf(turn), 1);
      this.#write();
      this.#draw();
    });
    row.append(field, remove);
    return row;
  }

  #addExample(): void {
    this.#examples.push([
      { speaker: "user", text: "" },
      { speaker: "char", text: "" },
    ]);
    this.#draw();
    this.#rows.querySelector<HTMLElement>(".dialogue-example:last-of-type textarea")?.focus();
  }

  #addTurn(turns: Example, speaker: Turn["speaker"]): void {
    turns.push({ speaker, text: "" });
    const place = this.#examples.indexOf(turns);
    this.#draw();
    const fields = this.#rows.querySelectorAll(".dialogue-example")[place]?.querySelectorAll<HTMLElement>("textarea");
    fields?.[fields.length - 1]?.focus();
  }

  #removeExample(place: number): void {
    this.#examples.splice(place, 1);
    this.#write();
    this.#draw();
    this.#rows.querySelector<HTMLElement>(":scope > button")?.focus();
  }

  #write(): void {
    this.#source.value = writeDialogue(this.#examples);
    this.#source.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function command(name: "plus" | "x", words: string, run: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small quiet";
  button.append(name === "plus" ? icon("plus") : icon("x"), words);
  button.addEventListener("click", run);
  return button;
}

customElements.define("dialogue-editor", DialogueEditor);
