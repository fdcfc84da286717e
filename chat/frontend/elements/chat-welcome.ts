/** <chat-welcome>: the page before the first message: the cast, and three things to try with the one chosen.
 *
 *  Tells `character-choose` with a character, `greeting-choose` with a place, `suggestion-choose` with the words.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { make, portrait, tell } from "../dom.ts";
import type { Character } from "../protocol.ts";
import { BranchArrows } from "./branch-arrows.ts";

const SUGGESTIONS = 3;

export class ChatWelcome extends HTMLElement {
  #arrows: BranchArrows | null = null;
  #shown = "";

  /** The cast with the chosen one, and their greetings; null lets nobody speak but the model. */
  show(cast: Character[], chosen: string | null, greetings: string[], at: number): void {
    this.dataset.ready = "";
    // The same again stays as it is, so that a press meets what it began on.
    const shown = JSON.stringify([cast, chosen, greetings, at]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const character = cast.find(({ slug }) => slug === chosen) ?? null;
    const people = this.querySelector(".cast") as HTMLElement;
    if (people.childElementCount !== cast.length) people.replaceChildren(...cast.map((other) => this.#person(other)));
    for (const person of people.querySelectorAll<HTMLElement>("[data-slug]")) {
      person.setAttribute("aria-pressed", String(person.dataset.slug === chosen));
    }
    const greeting = this.querySelector(".greeting") as HTMLElement;
    greeting.textContent = greetings[at] || character?.description || "";
    this.#greetingArrows(greeting).show(at, greetings.length);
    const ideas = character ? character.suggestions : cast.flatMap(({ suggestions }) => suggestions.slice(0, 1));
    this.querySelector(".suggestions")?.replaceChildren(...ideas.slice(0, SUGGESTIONS).map((words) => this.#suggestion(words)));
  }

  #greetingArrows(greeting: HTMLElement): BranchArrows {
    if (!this.#arrows) {
      this.#arrows = new BranchArrows();
      this.#arrows.addEventListener("branch-choose", (event) => {
        event.stopPropagation();
        tell(this, "greeting-choose", (event as CustomEvent<number>).detail);
      });
      greeting.after(this.#arrows);
    }
    return this.#arrows;
  }

  #person(character: Character): HTMLElement {
    const { name, tagline, slug, avatar_url: url } = character;
    const words = make("span", { class: "cast-words" }, make("strong", {}, name), make("span", { class: "faint" }, tagline));
    const choose = () => tell(this, "character-choose", character);
    return make("button", { type: "button", class: "cast-person", "data-slug": slug, onclick: choose }, portrait(name, url, "portrait"), words);
  }

  #suggestion(words: string): HTMLElement {
    const choose = () => tell(this, "suggestion-choose", words);
    return make("button", { type: "button", class: "suggestion", onclick: choose, title: gettext("Ask this") }, make("span", {}, words), icon("arrow-up-right"));
  }
}

customElements.define("chat-welcome", ChatWelcome);
