/** <prompt-inspector>: a dialog that shows what the model got for an answer: in parts, with what each cost. */

import { formatNumber, gettext, ngettext } from "../../../config/frontend/words.ts";
import { icon } from "../../../config/frontend/icon.ts";
import { getPrompt } from "../api.ts";
import { iconButton, make } from "../dom.ts";
import type { PromptData, PromptEntry, PromptPart } from "../protocol.ts";

const KINDS: Record<string, () => string> = {
  system_prompt: () => gettext("System prompt"),
  definition: () => gettext("Who they are"),
  personality: () => gettext("Personality"),
  scenario: () => gettext("Scenario"),
  examples: () => gettext("Example dialogue"),
  persona: () => gettext("Your persona"),
  lore: () => gettext("Lorebook"),
  group: () => gettext("The group"),
  sources: () => gettext("Sources"),
  note: () => gettext("Your note"),
  last_words: () => gettext("Last words to the model"),
  request: () => gettext("Request"),
};

const REASONS: Record<PromptEntry["reason"], (key: string) => string> = {
  key: (key) => (key ? gettext("by the key “%(key)s”", { key }) : gettext("by a key")),
  recursion: (key) => (key ? gettext("by another entry, key “%(key)s”", { key }) : gettext("by another entry")),
  always: () => gettext("always told"),
  forced: () => gettext("always told"),
  kept: () => gettext("came up before"),
};

export class PromptInspector extends HTMLElement {
  #dialog = make("dialog", { class: "dialog wide prompt-inspector", "aria-label": gettext("What the model got") });
  #body = make("div", { class: "body" });

  connectedCallback(): void {
    const close = iconButton(gettext("Close"), icon("x"), () => this.#dialog.close(), "icon-button");
    this.#dialog.append(make("header", {}, make("h2", {}, gettext("What the model got")), close), this.#body);
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#dialog.close());
    this.append(this.#dialog);
  }

  async open(message: string): Promise<void> {
    this.#body.replaceChildren(make("p", { class: "faint" }, gettext("Reading…")));
    this.#dialog.showModal();
    try {
      this.#show(await getPrompt(message));
    } catch (error) {
      const isGone = (error as { status?: number }).status === 404;
      const words = isGone ? gettext("What this answer was made from is not kept any more; it is for thirty days.") : (error as Error).message;
      this.#body.replaceChildren(make("p", {}, words));
    }
  }

  #show(prompt: PromptData): void {
    const head = tokens(prompt.tokens, gettext("about %(count)s tokens"));
    const counted = prompt.counted_tokens ? tokens(prompt.counted_tokens, gettext("%(count)s counted by the server")) : null;
    const settings = Object.entries(prompt.settings).map(([name, value]) => `${name} ${value}`);
    const notes = [
      prompt.has_secrets ? gettext("This character's words are its editors' to read: you see how long they are, and not what they say.") : null,
      prompt.left_out_messages
        ? ngettext("%(count)s older message found no room.", "%(count)s older messages found no room.", prompt.left_out_messages)
        : null,
      prompt.undecided_entries
        ? ngettext("%(count)s expression took too long and was passed over.", "%(count)s expressions took too long and were passed over.", prompt.undecided_entries)
        : null,
    ];
    this.#body.replaceChildren(
      make("p", { class: "prompt-facts soft small tabular" }, [prompt.model, head, counted, ...settings].filter(Boolean).join(" · ")),
      ...notes.filter((words) => words !== null).map((words) => make("p", { class: "prompt-note small" }, words)),
      make("div", { class: "prompt-parts" }, ...prompt.parts.map((part) => this.#part(part, prompt.tokens))),
      ...this.#entries(prompt.entries),
    );
  }

  #part(part: PromptPart, whole: number): HTMLElement {
    const share = make("meter", { class: "prompt-share", min: 0, max: whole || 1, value: part.tokens, "aria-hidden": "true" });
    const summary = make("summary", {}, make("span", { class: "truncate" }, titleOf(part)), share, make("span", { class: "tabular soft" }, formatNumber(part.tokens)));
    if (part.text === null) return make("div", { class: "prompt-part secret" }, make("div", { class: "summary" }, ...summary.childNodes));
    return make("details", { class: "prompt-part" }, summary, make("pre", {}, part.text));
  }

  #entries(entries: PromptEntry[]): HTMLElement[] {
    if (!entries.length) return [];
    const rows = entries.map((entry) =>
      make(
        "tr",
        { class: entry.is_left_out ? "faint" : null },
        make("td", {}, entry.entry || gettext("An entry")),
        make("td", {}, entry.is_left_out ? gettext("no room") : REASONS[entry.reason](entry.because ?? "")),
        make("td", { class: "tabular end" }, formatNumber(entry.tokens)),
      ),
    );
    const head = make("tr", {}, make("th", {}, gettext("Entry")), make("th", {}, gettext("Came up")), make("th", { class: "end" }, gettext("Tokens")));
    const table = make("table", { class: "table" }, make("thead", {}, head), make("tbody", {}, ...rows));
    return [make("h3", {}, gettext("From the lorebooks")), table];
  }
}

function titleOf({ kind, role, label }: PromptPart): string {
  const title = KINDS[kind]?.() ?? (role === "assistant" ? gettext("Their message") : gettext("Your message"));
  return label ? gettext("%(title)s: %(label)s", { title, label }) : title;
}

function tokens(count: number, words: string): string {
  return words.replace("%(count)s", formatNumber(count));
}

customElements.define("prompt-inspector", PromptInspector);
