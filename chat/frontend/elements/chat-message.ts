/** <chat-message>: one message of the thread, the person's or a character's.
 *
 *  It is an empty shell until `render` is called, which the thread does near the screen. Tells `message-edit`,
 *  `message-rewrite`, `message-inspect`, `message-regenerate`, `message-continue`, `message-retry`, `branch-choose`,
 *  `citation-open`; each carries what it needs, the thread adds which message.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { gettext, ngettext } from "../../../config/frontend/words.ts";
import { iconButton, make, portrait, tell } from "../dom.ts";
import { isOver } from "../protocol.ts";
import type { MessageNode, Reply } from "../message-node.ts";
import { AnswerVerdict } from "./answer-verdict.ts";
import { BranchArrows } from "./branch-arrows.ts";
import { CitationChip, type CitationQuestion } from "./citation-chip.ts";
import { CopyButton } from "./copy-button.ts";
import { type MenuItem, messageMenu } from "./message-menu.ts";
import { MarkdownText } from "./markdown-text.ts";
import { MessageEditor } from "./message-editor.ts";
import { ReplyState } from "./reply-state.ts";
import { ThinkingFold } from "./thinking-fold.ts";

export interface Speaker {
  name: string;
  avatarUrl: string | null;
  /** Where the character is introduced; null for a model without one. */
  pageUrl: string | null;
}

/** What a message shows besides itself. */
export interface MessageView {
  speaker: Speaker;
  place: number;
  siblings: number;
  reading: number | null;
}

// For the height of a shell: what a line of the column holds, and what a message has besides its lines.
const LINE_CHARACTERS = 76;
const LINE_PX = 26;
const FRAME_PX = 84;

const exact = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "full", timeStyle: "short" });

export class ChatMessage extends HTMLElement {
  node!: MessageNode;
  #view!: MessageView;
  #isRendered = false;
  // Made when the message is first drawn: a shell costs nothing but itself.
  #text!: MarkdownText;
  #said!: HTMLElement;
  #thinking: ThinkingFold | null = null;
  #state!: ReplyState;
  #arrows!: BranchArrows;
  #facts!: HTMLElement;
  #actions!: HTMLElement;
  #name!: HTMLElement;
  #introduced: Speaker | null = null;
  #verdict: AnswerVerdict | null = null;
  #sources: unknown = null;

  get isRendered(): boolean {
    return this.#isRendered;
  }

  get isStreaming(): boolean {
    const { reply } = this.node;
    return reply !== null && !isOver(reply.status);
  }

  /** About the height it will have, in pixels, for as long as it is not drawn. */
  get expectedHeight(): number {
    const lines = this.node.text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE_CHARACTERS)), 0);
    return lines * LINE_PX + FRAME_PX;
  }

  /** Draw the words only, without colours and formulas: enough to be found and read out, at a fraction of the cost. */
  renderPlain(): void {
    this.dataset.plain = "";
    this.render();
  }

  /** What a plain message has left to draw, now that it is near; each piece may wait for a frame of its own. */
  takeOrnaments(): { decorate(): void }[] {
    if (this.dataset.plain === undefined) return [];
    delete this.dataset.plain;
    return this.node.role === "user" ? [] : this.#text.ornaments;
  }

  /** Whether it stands at another place among its siblings than it shows. */
  isMoved({ place, siblings }: MessageView): boolean {
    return place !== this.#view.place || siblings !== this.#view.siblings;
  }

  /** Gives the message its node; draws nothing yet. */
  place(node: MessageNode, view: MessageView): void {
    this.node = node;
    this.#view = view;
    this.className = `message ${node.role}`;
  }

  /** Draw what the node holds now; called again, only what differs changes. */
  render(view: MessageView = this.#view): void {
    this.#view = view;
    if (!this.#isRendered) this.#build();
    this.#isRendered = true;
    this.#arrows.show(view.place, view.siblings);
    if (this.node.role === "user") {
      if (this.#said.textContent !== this.node.text) this.#said.textContent = this.node.text;
      return;
    }
    this.#introduce();
    this.#showThinking();
    const { text, reply, sources } = this.node;
    // Before the first word the state alone speaks, unless there is nothing to say: then the caret waits.
    const isWaiting = this.isStreaming && !text;
    const isSilent = isWaiting && (reply?.queuePosition !== null || reply?.waitingFor !== null || reply?.progress !== null || this.node.thinking !== "");
    this.#text.show(text, this.isStreaming && !isSilent);
    this.#state.show(reply, text !== "", view.reading);
    this.#actions.hidden = this.isStreaming;
    this.#actions.classList.toggle("wordless", !text);
    this.#verdict?.show();
    this.#facts.textContent = describeFacts(reply);
    this.toggleAttribute("data-streaming", this.isStreaming);
    if (this.#sources !== sources) {
      this.#sources = sources;
      for (const chip of this.querySelectorAll<CitationChip>("citation-chip")) chip.refresh();
    }
  }

  /** Open the words for a change. */
  edit(): void {
    const isOwn = this.node.role === "user";
    const words = isOwn ? this.#said : this.#text;
    const editor = new MessageEditor(this.node.text, isOwn);
    words.hidden = true;
    this.#actions.hidden = true;
    words.after(editor);
    const on = (name: string, run: (text: string) => void): void =>
      editor.addEventListener(name, (event) => {
        this.#closeEditor(editor);
        run((event as CustomEvent<string>).detail);
      });
    on("editor-send", (text) => tell(this, "message-edit", text));
    on("editor-save", (text) => tell(this, "message-rewrite", { text, isBranch: false }));
    on("editor-branch", (text) => tell(this, "message-rewrite", { text, isBranch: true }));
    on("editor-close", () => undefined);
  }

  #closeEditor(editor: MessageEditor): void {
    editor.remove();
    this.#said.hidden = false;
    this.#text.hidden = false;
    this.#actions.hidden = false;
    this.#actions.querySelector<HTMLElement>("[data-edit]")?.focus({ preventScroll: true });
  }

  #build(): void {
    const copy = new CopyButton();
    copy.readText = () => this.node.text;
    this.setAttribute("role", "article");
    this.#arrows = new BranchArrows();
    this.#actions = make("div", { class: "message-actions" });
    this.#said = make("div", { class: "said", dir: "auto" });
    this.#text = new MarkdownText();
    this.#text.dir = "auto";
    if (this.node.role === "user") {
      const edit = iconButton(gettext("Edit"), icon("pencil"), () => this.edit());
      edit.dataset.edit = "";
      this.setAttribute("aria-label", gettext("You said"));
      this.#actions.append(this.#arrows, copy, edit);
      this.append(this.#said, this.#actions);
      return;
    }
    this.#state = new ReplyState();
    this.#facts = make("span", { class: "message-facts faint tabular" });
    const again = iconButton(gettext("Another answer"), icon("rotate-cw"), () => tell(this, "message-regenerate", null));
    // A greeting answers nothing, so there is no other answer.
    this.#verdict = new AnswerVerdict(this.node);
    this.#actions.append(this.#arrows, copy, ...(this.node.parent === null ? [] : [again]), this.#verdict, messageMenu(() => this.#menuItems()), this.#facts);
    this.#name = make("h2", { class: "message-name", title: exact.format(new Date(this.node.createdAt)) });
    this.append(make("div", { class: "message-body" }, this.#name, this.#text, this.#state, this.#actions));
    this.addEventListener("citation-find", (event) => {
      const question = (event as CustomEvent<CitationQuestion>).detail;
      question.source = this.node.sources.find(({ n }) => n === question.n) ?? null;
    });
  }

  /** Who says this: in a group the message knows. */
  get #speaker(): Speaker {
    const { character } = this.node;
    if (!character) return this.#view.speaker;
    return { name: character.name, avatarUrl: character.avatar_url, pageUrl: `/characters/${character.slug}/` };
  }

  /** Name and portrait. In a group it may be the server who says whose turn it is. */
  #introduce(): void {
    const { name, avatarUrl, pageUrl } = this.#speaker;
    if (this.#introduced?.name === name && this.#introduced.avatarUrl === avatarUrl && this.#introduced.pageUrl === pageUrl) return;
    if (this.#introduced) this.firstElementChild?.remove();
    this.#introduced = { name, avatarUrl, pageUrl };
    this.setAttribute("aria-label", gettext("%(name)s said", { name }));
    this.#name.replaceChildren(pageUrl ? make("a", { href: pageUrl }, name) : name);
    this.prepend(portrait(name, avatarUrl));
  }

  #menuItems(): MenuItem[] {
    const edit = { words: gettext("Edit"), image: icon("pencil"), run: () => this.edit() };
    if (this.node.parent === null || !this.node.reply) return [edit];
    return [
      edit,
      { words: gettext("Continue"), image: icon("chevrons-right"), run: () => tell(this, "message-continue", null) },
      { words: gettext("What the model got"), image: icon("scan-text"), run: () => tell(this, "message-inspect", null) },
    ];
  }

  #showThinking(): void {
    const { thinking, text, reply } = this.node;
    if (!thinking) {
      this.#thinking?.remove();
      this.#thinking = null;
      return;
    }
    if (!this.#thinking) {
      this.#thinking = new ThinkingFold();
      this.#text.before(this.#thinking);
    }
    this.#thinking.show(thinking, this.isStreaming && !text, reply?.thinkingSeconds ?? null);
  }
}

/** Which model wrote it, in how many tokens. */
function describeFacts(reply: Reply | null): string {
  const tokens = reply?.usage?.completion_tokens;
  if (!tokens) return reply?.model ?? "";
  if (!reply.model) return ngettext("%(count)s token", "%(count)s tokens", tokens);
  return ngettext("%(model)s, %(count)s token", "%(model)s, %(count)s tokens", tokens, { model: reply.model });
}

customElements.define("chat-message", ChatMessage);
