/** <scene-dialog>: what this chat is set up with: who the person is, a note for the model, who else is here.
 *
 *  Tells `scene-change` and `group-change`, each with the whole choice.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { iconButton, make, portrait, tell } from "../dom.ts";
import type { Character, CharacterSummary, Member, Persona, TurnOrder } from "../protocol.ts";
import type { Conversation } from "../conversation.ts";

export interface SceneChange {
  persona: string | null;
  authorNote: string;
  authorNoteDepth: number;
}

export interface GroupChange {
  members: Member[];
  turnOrder: TurnOrder;
}

const MOST_MEMBERS = 8;

export class SceneDialog extends HTMLElement {
  #dialog = make("dialog", { class: "dialog wide scene-dialog", "aria-label": gettext("This chat") });

  connectedCallback(): void {
    this.append(this.#dialog);
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog.close());
  }

  open(conversation: Readonly<Conversation>, cast: Character[], personas: Persona[]): void {
    const persona = this.#personaField(conversation.persona, personas);
    const note = make("textarea", { class: "textarea", rows: 3, maxlength: 8000 });
    note.value = conversation.authorNote;
    const depth = make("input", { class: "input", type: "number", min: 0, max: 1000, value: conversation.authorNoteDepth });
    const group = this.#groupField(conversation, cast);
    const save = make("button", { class: "button primary", type: "submit" }, gettext("Save"));
    const form = make(
      "form",
      { method: "dialog" },
      make(
        "header",
        {},
        make("h2", {}, gettext("This chat")),
        iconButton(gettext("Close"), icon("x"), () => this.#dialog.close(), "icon-button"),
      ),
      make(
        "div",
        { class: "body scene-fields" },
        persona.element,
        field(gettext("Note for the model"), gettext("Stands among the newest messages, and nobody in the chat says it."), note),
        field(gettext("Messages after the note"), gettext("0 puts it at the very end, where it weighs most."), depth),
        group.element,
      ),
      make("footer", {}, save),
    );
    form.addEventListener("submit", () => {
      tell<SceneChange>(this, "scene-change", {
        persona: persona.read(),
        authorNote: note.value.trim(),
        authorNoteDepth: Math.max(0, Math.min(1000, Number(depth.value) || 0)),
      });
      const wanted = group.read();
      if (wanted) tell<GroupChange>(this, "group-change", wanted);
    });
    this.#dialog.replaceChildren(form);
    this.#dialog.showModal();
  }

  #personaField(chosen: string | null, personas: Persona[]): { element: HTMLElement; read: () => string | null } {
    const select = make("select", { class: "select" }, make("option", { value: "" }, gettext("Just you")));
    for (const { id, name } of personas) select.append(make("option", { value: id, selected: id === chosen }, name));
    const link = make("a", { href: "/characters/personas/", class: "small" }, gettext("Your personas"));
    const element = field(gettext("You are"), gettext("What characters call you and know of you."), select);
    element.append(link);
    return { element, read: () => select.value || null };
  }

  #groupField(conversation: Readonly<Conversation>, cast: Character[]): { element: HTMLElement; read: () => GroupChange | null } {
    const members = conversation.members;
    const known = new Map<string, CharacterSummary>();
    for (const person of [...members, ...(conversation.character ? [conversation.character] : []), ...cast]) known.set(person.slug, person);
    const here = new Set(members.map(({ slug }) => slug));
    const muted = new Set(members.filter((member) => member.is_muted).map(({ slug }) => slug));
    const boxes = [...known.values()].map((person) => {
      const box = make("input", { type: "checkbox", class: "checkbox", value: person.slug, checked: here.has(person.slug) });
      const mute = muteButton(person.name, muted.has(person.slug));
      mute.hidden = !box.checked;
      box.addEventListener("change", () => (mute.hidden = !box.checked));
      const label = make("label", { class: "scene-name" }, box, portrait(person.name, person.avatar_url, "small"), make("span", { class: "truncate" }, person.name));
      return { person, box, mute, row: make("div", { class: "scene-member" }, label, mute) };
    });
    const order = make(
      "select",
      { class: "select" },
      ...(
        [
          ["turn", gettext("Everyone answers, in turn")],
          ["mention", gettext("Whoever is mentioned answers, or the next")],
          ["choice", gettext("Whoever you choose answers")],
        ] as const
      ).map(([value, words]) => make("option", { value, selected: value === conversation.turnOrder }, words)),
    );
    const element = make(
      "fieldset",
      { class: "scene-group" },
      make("legend", {}, gettext("A group")),
      make("p", { class: "hint" }, gettext("Choose two to eight characters, and they talk with you and each other. Who is muted answers only when you choose them.")),
      make("div", { class: "scene-members" }, ...boxes.map(({ row }) => row)),
      field(gettext("Who answers"), "", order),
    );
    const read = (): GroupChange | null => {
      const chosen: Member[] = boxes
        .filter(({ box }) => box.checked)
        .slice(0, MOST_MEMBERS)
        .map(({ person: { slug, name, avatar_url }, mute }) => ({ slug, name, avatar_url, is_muted: mute.ariaPressed === "true" }));
      const isGroup = chosen.length > 1;
      const isSame =
        chosen.length === members.length && chosen.every(({ slug, is_muted }, at) => members[at]?.slug === slug && members[at].is_muted === is_muted);
      if ((!isGroup && !members.length) || (isSame && order.value === conversation.turnOrder)) return null;
      return { members: isGroup ? chosen : [], turnOrder: order.value as TurnOrder };
    };
    return { element, read };
  }
}

/** Says by its picture and `aria-pressed` whether a member is muted. */
function muteButton(name: string, isMuted: boolean): HTMLButtonElement {
  const button = iconButton(gettext("Mute %(name)s", { name }), icon("volume-2"), () => show(button.ariaPressed !== "true"));
  const show = (isPressed: boolean): void => {
    button.ariaPressed = String(isPressed);
    button.title = isPressed ? gettext("Muted: answers only when chosen") : gettext("Mute");
    button.replaceChildren(isPressed ? icon("volume-x") : icon("volume-2"));
  };
  show(isMuted);
  return button;
}

function field(words: string, hint: string, control: HTMLElement): HTMLElement {
  const label = make("label", { class: "field" }, make("span", { class: "label" }, words), control);
  if (hint) label.append(make("span", { class: "hint" }, hint));
  return make("div", { class: "scene-field" }, label);
}

customElements.define("scene-dialog", SceneDialog);
