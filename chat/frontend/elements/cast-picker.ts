/** <cast-picker>: which character speaks, and which model. Fills the menu that the template has in it. In a group, whose
 *  members stand above the composer, it is the model alone.
 *
 *  Tells `character-choose` with a character or null, `model-choose` with a name or null for the character's own.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { make, portrait, tell } from "../dom.ts";
import type { Character, CharacterSummary, ModelSummary } from "../protocol.ts";

export class CastPicker extends HTMLElement {
  #cast: Character[] = [];
  #models: ModelSummary[] = [];
  #character: CharacterSummary | null = null;
  #model: string | null = null;
  #isGroup = false;
  #shown = "";

  connectedCallback(): void {
    this.#fill();
  }

  show(choice: { cast: Character[]; models: ModelSummary[]; character: CharacterSummary | null; model: string | null; isGroup: boolean }): void {
    this.#isGroup = choice.isGroup;
    this.#cast = choice.cast;
    this.#models = choice.models;
    this.#character = choice.character;
    this.#model = choice.model;
    // The same again, as when a title comes: whoever is choosing keeps the menu under their hand.
    const shown = JSON.stringify(choice);
    if (shown !== this.#shown) this.#fill();
    this.#shown = shown;
  }

  get #usualModel(): string | null {
    const own = this.#cast.find(({ slug }) => slug === this.#character?.slug)?.model;
    return own ?? this.#models.find(({ is_default }) => is_default)?.name ?? this.#models[0]?.name ?? null;
  }

  #fill(): void {
    const button = this.querySelector("button");
    const menu = this.querySelector("[popover]");
    if (!button || !menu) return;
    const who = this.#isGroup ? null : this.#character;
    const name = this.#isGroup ? gettext("Group") : (who?.name ?? gettext("No character"));
    const model = this.#models.find((other) => other.name === (this.#model ?? this.#usualModel));
    button.replaceChildren(
      who ? portrait(name, who.avatar_url, "small") : this.#isGroup ? icon("users-round") : icon("user-round-x"),
      make("span", { class: "truncate" }, name),
      make("span", { class: "picker-model truncate" }, model?.label ?? ""),
      make("span", { class: "visually-hidden" }, this.#isGroup ? gettext("Choose the model") : gettext("Choose who answers")),
      icon("chevron-down"),
    );
    const cast = this.#cast.map((character) => this.#characterItem(character));
    const none = choice(icon("user-round-x"), gettext("No character"), gettext("Only the model"), this.#character === null, () =>
      tell(this, "character-choose", null),
    );
    const models = this.#models.map((other) =>
      choice(null, other.label, other.name === this.#usualModel ? gettext("The usual one") : "", other === model, () =>
        tell(this, "model-choose", other.name === this.#usualModel ? null : other.name),
      ),
    );
    const people = this.#isGroup ? [] : [heading(gettext("Who answers")), ...cast, none, make("hr")];
    menu.replaceChildren(...people, heading(gettext("Model")), ...models);
  }

  #characterItem(character: Character): HTMLElement {
    const isChosen = character.slug === this.#character?.slug;
    const image = portrait(character.name, character.avatar_url, "small");
    return choice(image, character.name, character.tagline, isChosen, () => tell(this, "character-choose", character));
  }
}

function heading(words: string): HTMLElement {
  return make("p", { class: "heading", role: "presentation" }, words);
}

function choice(image: Element | null, words: string, note: string, isChosen: boolean, run: () => void): HTMLElement {
  const text = make("span", { class: "picker-text" }, make("span", {}, words), note ? make("small", { class: "faint truncate" }, note) : null);
  return make("button", { type: "button", role: "menuitemradio", "aria-checked": String(isChosen), onclick: run }, image, text);
}

customElements.define("cast-picker", CastPicker);
