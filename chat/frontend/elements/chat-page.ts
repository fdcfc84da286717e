/** <chat-page>: the coordinator. It owns the session, hands its state to the elements around and takes what they
 *  tell. Conversations change without loading the page anew; the address always says which one is open.
 */

import { showToast } from "../../../config/frontend/toast-list.ts";
import { gettext } from "../../../config/frontend/words.ts";
import "../../../documents/frontend/drop-zone.ts";
import { taskSentence, type Task } from "../../../documents/frontend/tasks.ts";
import { getDocument, impersonate } from "../api.ts";
import { tell } from "../dom.ts";
import type { Bootstrap, Character, CharacterSummary, ConversationFrame, DocumentState, Source } from "../protocol.ts";
import { ChatSession } from "../session.ts";
import type { MessageNode } from "../message-node.ts";
import { CastPicker } from "./cast-picker.ts";
import { ChatComposer, type Composed } from "./chat-composer.ts";
import { ChatMessage, type Speaker } from "./chat-message.ts";
import { ChatWelcome } from "./chat-welcome.ts";
import { ConversationDocuments } from "./conversation-documents.ts";
import { ConversationList } from "./conversation-list.ts";
import { describeReply, MessageThread } from "./message-thread.ts";
import type { GroupBar } from "./group-bar.ts";
import "./group-bar.ts";
import type { OfflineLine } from "./offline-line.ts";
import "./offline-line.ts";
import { PromptInspector } from "./prompt-inspector.ts";
import { type GroupChange, type SceneChange, SceneDialog } from "./scene-dialog.ts";
import { SourceDrawer } from "./source-drawer.ts";
import { takeChoice, type TaskChoice } from "./task-offers.ts";
import { VersionLine } from "./version-line.ts";

export class ChatPage extends HTMLElement {
  #listeners = new AbortController();
  #session!: ChatSession;
  #bootstrap!: Bootstrap;
  #hasBeenOffline = false;
  #writing: AbortController | null = null;
  #thread!: MessageThread;
  #composer!: ChatComposer;
  #welcome!: ChatWelcome;
  #picker!: CastPicker;
  #documents!: ConversationDocuments;
  #group!: GroupBar;
  #version!: VersionLine;
  #drawer!: SourceDrawer;
  #scene!: SceneDialog;
  #inspector!: PromptInspector;
  #announcer!: HTMLElement;
  #offline!: OfflineLine;
  #writer!: HTMLElement;
  #list: ConversationList | null = null;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    this.#meet();
    this.#bootstrap = JSON.parse(document.getElementById("bootstrap")?.textContent ?? "") as Bootstrap;
    this.#session = new ChatSession(`${location.origin.replace(/^http/, "ws")}/ws/chat/`, {
      opened: () => this.#showOpened(),
      pathChanged: () => this.#showPath(),
      messageChanged: (node) => this.#showMessage(node),
      replyEnded: (node) => this.#announce(node),
      accepted: (id) => this.#composer.settle(id),
      conversationChanged: () => this.#showConversation(),
      vanished: () => this.#onVanished(),
      listChanged: (frame) => tell<ConversationFrame>(document, "conversation-event", frame),
      documentChanged: (state) => {
        this.#composer.showDocument(state);
        this.#showDocuments();
      },
      fillIn: (words) => words.replaceAll("{{user}}", this.#userName),
      connected: (isConnected) => this.#showConnection(isConnected),
      signedOut: () =>
        showToast({
          text: gettext("You are signed out. What you wrote is kept."),
          kind: "warning",
          action: { words: gettext("Sign in"), run: () => location.reload() },
        }),
      refused: (text) => showToast({ text, kind: "error" }),
    });
    this.#listen();
    this.#session.connect();
    this.#openPath();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  // --- the elements around ------------------------------------------------------------------------------------

  /** Finds the elements around once: those after the thread are a walk over all its messages away. */
  #meet(): void {
    const find = <E extends Element>(name: string): E => this.querySelector(name) as E;
    this.#thread = find("message-thread");
    this.#composer = find("chat-composer");
    this.#welcome = find("chat-welcome");
    this.#picker = find("cast-picker");
    this.#documents = find("conversation-documents");
    this.#group = find("group-bar");
    this.#version = find("version-line");
    this.#drawer = find("source-drawer");
    this.#scene = find("scene-dialog");
    this.#inspector = find("prompt-inspector");
    this.#announcer = find("[data-announcer]");
    this.#offline = find("offline-line");
    this.#writer = find("[data-impersonate]");
    this.#list = document.querySelector("conversation-list");
  }

  #listen(): void {
    const { signal } = this.#listeners;
    const on = <T>(name: string, run: (detail: T, event: Event) => void): void =>
      this.addEventListener(name, (event) => run((event as CustomEvent<T>).detail, event), { signal });
    on<Composed>("composer-send", ({ text, documents }) => this.#send(text, documents));
    on<TaskChoice>("task-choose", (asked) => this.#send(taskSentence(asked), asked.documents, asked.task));
    on("composer-stop", () => this.#session.stop());
    on("composer-edit-last", (_, event) => this.#editLast() && event.preventDefault());
    on<Character | null>("character-choose", (character) => this.#chooseCharacter(character));
    on("character-follow", () => void this.#session.followCharacter());
    on<string | null>("model-choose", (model) => this.#session.chooseModel(model));
    on<string>("suggestion-choose", (words) => this.#session.send(words, []));
    on<string>("message-edit", (text, event) => this.#session.edit(nodeOf(event), text));
    on("message-regenerate", (_, event) => this.#session.regenerate(nodeOf(event)));
    on("message-continue", (_, event) => this.#session.continue(nodeOf(event)));
    on("message-retry", (_, event) => this.#session.retry(nodeOf(event)));
    on<{ text: string; isBranch: boolean }>("message-rewrite", ({ text, isBranch }, event) => this.#session.rewrite(nodeOf(event), text, isBranch));
    on("message-inspect", (_, event) => void this.#inspector.open(nodeOf(event).id));
    on<number>("greeting-choose", (at) => this.#session.chooseGreeting(at));
    on<SceneChange>("scene-change", (scene) => this.#session.setScene(scene));
    on<GroupChange>("group-change", ({ members, turnOrder }) => this.#session.setGroup(members, turnOrder));
    on<string | null>("speaker-choose", (slug) => this.#chooseSpeaker(slug));
    this.querySelector("[data-scene]")?.addEventListener("click", () => this.#openScene(), { signal });
    this.#writer.addEventListener("click", () => void this.#impersonate(), { signal });
    on<number>("branch-choose", (place, event) => this.#chooseBranch(nodeOf(event), place));
    on<Source>("citation-open", (source, event) => this.#drawer.open(nodeOf(event).sources, source));
    on<boolean>("drawer-toggle", (isOpen) => this.#makeRoom(isOpen));
    this.querySelector("drop-zone")?.addEventListener("files", (event) => this.#composer.attach((event as CustomEvent<File[]>).detail), { signal });
    this.querySelector("[data-to-end]")?.addEventListener("click", () => this.#thread.scrollToEnd(true), { signal });
    document.addEventListener("click", this.#onLink, { signal });
    this.addEventListener("click", ({ target }) => (target as Element).matches("drop-zone") && this.#drawer.close(), { signal });
    document.addEventListener("keydown", this.#onKey, { signal });
    document.addEventListener("conversation-deleted", (event) => this.#onDeleted((event as CustomEvent<string>).detail), { signal });
    addEventListener("popstate", () => this.#openPath(), { signal });
    addEventListener("online", () => this.#session.wake(), { signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#session.wake(), { signal });
  }

  // --- where we are -------------------------------------------------------------------------------------------

  #openPath(): void {
    const id = conversationOfPath();
    if (id) void this.#session.open(id);
    else this.#openNew();
  }

  #openNew(): void {
    const { cast } = this.#bootstrap;
    const parameters = new URLSearchParams(location.search);
    const slug = parameters.get("character");
    const character = cast.find((other) => other.slug === slug) ?? cast[0] ?? null;
    const persona = this.#bootstrap.personas.find(({ is_default }) => is_default)?.id ?? null;
    const asked = takeChoice();
    // What is asked on a documents page is nobody's part to play.
    this.#session.openNew(asked ? null : character, null, persona);
    if (asked) return this.#send(taskSentence(asked), asked.documents, asked.task);
    // A suggestion of a character's own page: words to send or to change first.
    const draft = parameters.get("draft");
    if (draft) this.#composer.text = draft;
    const id = parameters.get("document");
    if (id) getDocument(id).then((state) => this.#composer.attachDocument(state), () => undefined);
  }

  #go(path: string): void {
    if (path !== location.pathname + location.search) history.pushState(null, "", path);
    this.#openPath();
  }

  #onLink = (event: MouseEvent): void => {
    const link = (event.target as Element | null)?.closest<HTMLAnchorElement>("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
    if (link.origin !== location.origin || !/^\/(?:c\/[\da-f-]{36})?$/.test(link.pathname)) return;
    event.preventDefault();
    this.#go(link.pathname + link.search);
  };

  #onVanished(): void {
    showToast({ text: gettext("This conversation is not there any more.") });
    history.replaceState(null, "", "/");
    this.#openNew();
  }

  #onDeleted(id: string): void {
    if (id === this.#session.conversation.id) this.#go("/");
  }

  /** Where the drawer stands over the thread, the thread is out of reach until it closes. */
  #makeRoom(isOpen: boolean): void {
    const isOver = getComputedStyle(this.#drawer).position === "fixed";
    this.querySelector(".chat-main")?.toggleAttribute("inert", isOpen && isOver);
  }

  // --- what is shown ------------------------------------------------------------------------------------------

  #showOpened(): void {
    this.#drawer.close();
    this.#thread.open(this.#session.thread, this.#context);
    this.#composer.open(this.#session.conversation.id);
    this.#showConversation();
    this.#showPath();
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
  }

  #showPath(): void {
    const { thread } = this.#session;
    this.#welcome.hidden = !thread.isEmpty || this.#session.conversation.id !== null;
    this.#thread.hidden = !this.#welcome.hidden;
    this.#thread.showPath();
    this.#showRunning();
  }

  #showMessage(node: MessageNode): void {
    this.#thread.changed(node);
    this.#showRunning();
  }

  #showRunning(): void {
    const isRunning = this.#session.thread.running !== undefined;
    this.#composer.isRunning = isRunning;
    const { id } = this.#session.conversation;
    if (id) this.#list?.setRunning(id, isRunning);
  }

  #showConversation(): void {
    const { id, title, character, model } = this.#session.conversation;
    // The new conversation has got its id: the same page, with its lasting address.
    if (id && location.pathname === "/") history.replaceState(null, "", `/c/${id}`);
    if (this.#list) this.#list.current = id;
    const words = title || gettext("New chat");
    for (const element of document.querySelectorAll("[data-title]")) element.textContent = words;
    (this.querySelector(".chat-head") as HTMLElement).hidden = id === null;
    document.title = `${words} · ${gettext("Parlour")}`;
    document.querySelector('.nav-item[href="/"]')?.toggleAttribute("aria-current", id === null);
    const isGroup = this.#session.conversation.members.length > 0;
    if (isGroup) this.#composer.placeholder = gettext("Message the group");
    else this.#composer.placeholder = character ? gettext("Message %(name)s", { name: character.name }) : gettext("Write a message");
    this.#picker.show({ ...this.#bootstrap, character, model, isGroup });
    this.#showScene();
    this.#version.show(this.#session.conversation);
    this.#showDocuments();
  }

  /** The greetings of who is chosen, the group, and what can be done here. */
  #showScene(): void {
    const { id, character, greeting, members, speaker } = this.#session.conversation;
    const chosen = this.#bootstrap.cast.find(({ slug }) => slug === character?.slug);
    const greetings = members.length ? [] : (chosen?.greetings ?? []).map((words) => words.replaceAll("{{user}}", this.#userName).replaceAll("*", ""));
    this.#welcome.show(this.#bootstrap.cast, character?.slug ?? null, greetings, greeting);
    this.#group.show(members, speaker);
    this.#writer.hidden = id === null;
  }

  get #userName(): string {
    const { persona } = this.#session.conversation;
    return this.#bootstrap.personas.find(({ id }) => id === persona)?.name ?? this.#bootstrap.user_name;
  }

  #openScene(): void {
    const { cast, personas } = this.#bootstrap;
    this.#scene.open(this.#session.conversation, cast, personas);
  }

  /** With words in the composer the choice is for them; without, the chosen one speaks now. */
  #chooseSpeaker(slug: string | null): void {
    const { id } = this.#session.conversation;
    if (slug && id && !this.#composer.text.trim() && !this.#session.thread.running) this.#session.speak(slug);
    else this.#session.chooseSpeaker(slug);
  }

  /** The model writes the person's next words into the composer; another press stops it. */
  async #impersonate(): Promise<void> {
    if (this.#writing) {
      this.#writing.abort();
      return;
    }
    const { id } = this.#session.conversation;
    if (!id || this.#session.thread.running) return;
    const writing = (this.#writing = new AbortController());
    this.#writer.setAttribute("aria-pressed", "true");
    const before = this.#composer.text;
    try {
      let text = before ? `${before} ` : "";
      for await (const piece of impersonate(id, writing.signal)) {
        if (id !== this.#session.conversation.id) writing.abort();
        this.#composer.text = text += piece;
      }
    } catch (error) {
      if (!writing.signal.aborted) showToast({ text: (error as Error).message, kind: "error" });
    }
    this.#writing = null;
    this.#writer.setAttribute("aria-pressed", "false");
    this.#composer.focus();
  }

  #showDocuments(): void {
    this.#documents.show(this.#session.conversation.documents);
    this.#thread.context = this.#context;
  }

  get #context(): { speaker: Speaker; reading: number | null } {
    const { character } = this.#session.conversation;
    const speaker = {
      name: character?.name ?? gettext("Parlour"),
      avatarUrl: character?.avatar_url ?? null,
      pageUrl: character ? `/characters/${character.slug}/` : null,
    };
    return { speaker, reading: this.#session.reading };
  }

  #showConnection(isConnected: boolean): void {
    this.#offline.show(isConnected);
    if (isConnected && this.#hasBeenOffline) {
      void this.#list?.refresh();
      // A conversation that could not be opened without a connection.
      if (conversationOfPath() !== this.#session.conversation.id) this.#openPath();
    }
    this.#hasBeenOffline ||= !isConnected;
  }

  /** A finished reply is read out once, when it is whole. */
  #announce(node: MessageNode): void {
    requestAnimationFrame(() => {
      const element = this.#thread.elementOf(node);
      if (element) this.#announcer.textContent = describeReply(element, this.#context.speaker);
    });
    const { id } = this.#session.conversation;
    if (id && this.#session.thread.running === undefined) this.#list?.setRunning(id, false);
  }

  // --- what the person does -----------------------------------------------------------------------------------

  /** Whoever says something wants to see it, wherever they have scrolled to. */
  #send(text: string, documents: DocumentState[], task: Task | null = null): void {
    this.#session.send(text, documents, task);
    this.#thread.scrollToEnd();
  }

  #chooseCharacter(character: CharacterSummary | null): void {
    this.#session.chooseCharacter(character);
    this.#composer.focus();
  }

  #chooseBranch(node: MessageNode, place: number): void {
    const sibling = this.#session.thread.siblings(node)[place];
    if (!sibling) return;
    this.#session.chooseBranch(sibling);
    this.#thread.elementOf(sibling)?.querySelector<HTMLElement>("branch-arrows button:not([aria-disabled=true])")?.focus({ preventScroll: true });
  }

  #editLast(): boolean {
    const last = this.#session.thread.path.findLast(({ role }) => role === "user");
    const element = last && !this.#session.thread.running ? this.#thread.elementOf(last) : undefined;
    element?.scrollIntoView({ block: "nearest" });
    element?.edit();
    return element !== undefined;
  }

  #onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], :popover-open")) {
      this.#session.stop();
    } else if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      document.querySelector<HTMLElement>("conversation-list input")?.focus();
    } else if ((event.metaKey || event.ctrlKey) && event.shiftKey && event.key.toLowerCase() === "o") {
      event.preventDefault();
      this.#go("/");
    }
  };
}

/** The conversation that the address names, null for a new one. */
function conversationOfPath(): string | null {
  return /^\/c\/([\da-f-]{36})/.exec(location.pathname)?.[1] ?? null;
}

function nodeOf(event: Event): MessageNode {
  const element = (event.target as Element).closest("chat-message");
  if (!(element instanceof ChatMessage)) throw new Error("A message's event came from outside a message.");
  return element.node;
}

customElements.define("chat-page", ChatPage);
