/** The open conversation, kept in step with the server: what the person does goes out, what happens comes in.
 *
 *  Between the socket and REST on one side and the elements on the other; it holds no elements. The order that
 *  nothing is lost by: after each new connection read the tree, then follow from the cursors we have.
 */

import type { Task } from "../../documents/frontend/tasks.ts";
import { changeConversation, changeGroup, changeScene, rewriteMessage, followCharacter, getConversation } from "./api.ts";
import { NEW, readConversation, type Conversation, type SessionEvents, type Speaking } from "./conversation.ts";
import { isLocal, type MessageNode } from "./message-node.ts";
import {
  isReplyFrame,
  type ConversationFrame,
  type DocumentState,
  type ErrorFrame,
  type Member,
  type MessageData,
  type RequestFrame,
  type SentFrame,
  type ServerFrame,
  type TurnOrder,
} from "./protocol.ts";
import { ChatSocket } from "./socket.ts";
import { Thread } from "./thread.ts";

export class ChatSession {
  readonly #events: SessionEvents;
  readonly #socket: ChatSocket;
  #thread: Thread;
  #conversation: Conversation = { ...NEW };
  /** Requests by id: a conversation that is left before its answer comes does not get it. */
  #asked = new Map<string, Thread>();
  #waiting: (() => void)[] = [];
  #ownMoves: string[] = [];
  #chosenEnd: MessageNode | null = null;
  #sentWith = new WeakMap<MessageNode, { documents: DocumentState[]; task: Task | null }>();
  #isStopWanted = false;
  #opening: AbortController | null = null;

  constructor(url: string, events: SessionEvents) {
    this.#events = events;
    this.#thread = new Thread(events);
    this.#socket = new ChatSocket(url, {
      open: () => {
        events.connected(true);
        void this.#catchUp();
      },
      close: () => events.connected(false),
      signedOut: () => events.signedOut(),
      frame: (frame) => this.#onFrame(frame),
      answered: (requestId, answer) => this.#onAnswer(requestId, answer),
    });
  }

  get thread(): Thread {
    return this.#thread;
  }

  get conversation(): Readonly<Conversation> {
    return this.#conversation;
  }

  get isConnected(): boolean {
    return this.#socket.isOpen;
  }

  /** The share of the attached documents that is read, or null when all are. */
  get reading(): number | null {
    const unread = this.#conversation.documents.filter(({ status }) => status !== "ready" && status !== "failed");
    return unread.length ? Math.min(...unread.map(({ progress }) => progress)) : null;
  }

  connect(): void {
    this.#socket.connect();
  }

  wake(): void {
    this.#socket.wake();
  }

  // --- opening ------------------------------------------------------------------------------------------------

  openNew(character: Speaking | null, model: string | null, persona: string | null = null): void {
    this.#leave();
    this.#conversation = { ...NEW, character, model, persona };
    this.#events.opened();
  }

  /** Read a conversation and show it; the one that was open stays on the page until then. */
  async open(id: string): Promise<void> {
    this.#opening?.abort();
    const opening = new AbortController();
    this.#opening = opening;
    try {
      const data = await getConversation(id, opening.signal);
      this.#leave();
      this.#conversation = readConversation(data);
      this.#thread.merge(data.messages, data.current_message);
      this.#events.opened();
      this.#follow();
    } catch (error) {
      if (!opening.signal.aborted) this.#onOpenFailed(error as Error & { status?: number });
    }
  }

  #onOpenFailed(error: Error & { status?: number }): void {
    if (error.status === 404) this.#events.vanished();
    else this.#events.refused(error.message);
  }

  #leave(): void {
    this.#opening?.abort();
    const { id } = this.#conversation;
    if (id) this.#socket.send({ type: "unfollow", conversation: id });
    this.#thread = new Thread(this.#events);
    this.#waiting = [];
    this.#ownMoves = [];
    this.#chosenEnd = null;
    this.#isStopWanted = false;
  }

  #follow(): void {
    const { id } = this.#conversation;
    if (id) this.#socket.send({ type: "follow", conversation: id, cursors: this.#thread.cursors });
  }

  /** After a new connection: what happened meanwhile, then the rest of what is being written. */
  async #catchUp(): Promise<void> {
    const { id } = this.#conversation;
    const thread = this.#thread;
    if (!id) return;
    try {
      const data = await getConversation(id);
      if (thread !== this.#thread) return;
      this.#inOrder(() => {
        this.#conversation = readConversation(data);
        thread.merge(data.messages, this.#chosenEnd ? null : data.current_message);
        this.#keepChoice();
        this.#events.conversationChanged();
        this.#follow();
      });
    } catch (error) {
      if ((error as { status?: number }).status === 404) this.#events.vanished();
      // Otherwise the connection is about to be lost again, and then this is tried again.
    }
  }

  // --- what the person does -----------------------------------------------------------------------------------

  /** With a task, the message is about these documents as wholes. */
  send(text: string, documents: DocumentState[], task: Task | null = null): void {
    const { id, character, model } = this.#conversation;
    const isNew = id === null;
    const { members, turnOrder, persona, greeting, speaker } = this.#conversation;
    const isGroup = members.length > 0;
    if (isNew && !isGroup && this.#thread.isEmpty && character?.greetings?.length) {
      this.#thread.addGreetings(character.greetings.map((words) => this.#events.fillIn(words)), greeting);
    }
    const parent = this.#thread.path.at(-1)?.id ?? null;
    const known = new Set(this.#conversation.documents.map((document) => document.id));
    this.#conversation.documents = [...this.#conversation.documents, ...documents.filter((document) => !known.has(document.id))];
    const requestId = this.#ask({
      type: "send",
      text,
      conversation: id,
      parent: parent?.startsWith("local-") ? null : parent,
      character: isNew ? (character?.slug ?? null) : null,
      model: isNew ? model : null,
      documents: documents.map((document) => document.id),
      ...(task ? { task } : {}),
      ...(isNew ? { greeting, persona } : {}),
      ...(isNew && isGroup && turnOrder ? { group: slugsOf(members), muted: slugsOf(members.filter((member) => member.is_muted)), turn_order: turnOrder } : {}),
      ...(isGroup ? { speaker } : {}),
    });
    this.#sentWith.set(this.#thread.addQuestion(requestId, text, parent), { documents, task });
  }

  /** In a group: let this member speak now. */
  speak(slug: string): void {
    const { id, members } = this.#conversation;
    if (!id) return;
    const character = members.find((member) => member.slug === slug) ?? null;
    this.#thread.addSpeech(this.#ask({ type: "speak", conversation: id, speaker: slug }), character);
  }

  /** Who the person is, and the note; of a conversation that is not stored yet, its beginning. */
  setScene(scene: { persona: string | null; authorNote: string; authorNoteDepth: number }): void {
    Object.assign(this.#conversation, scene);
    const { id } = this.#conversation;
    if (id) {
      const body = { persona: scene.persona ?? "", author_note: scene.authorNote, author_note_depth: scene.authorNoteDepth };
      changeScene(id, body).catch((error: Error) => this.#events.refused(error.message));
    }
    this.#events.conversationChanged();
  }

  /** A group of these, or with none a chat with one character again. */
  setGroup(members: Member[], turnOrder: TurnOrder): void {
    Object.assign(this.#conversation, { members, turnOrder: members.length ? turnOrder : "", speaker: null });
    const { id } = this.#conversation;
    if (id) {
      changeGroup(id, members, turnOrder)
        .then((data) => this.#thread.merge(data.messages))
        .catch((error: Error) => this.#events.refused(error.message));
    }
    this.#events.conversationChanged();
  }

  chooseSpeaker(slug: string | null): void {
    this.#conversation.speaker = slug;
    this.#events.conversationChanged();
  }

  chooseGreeting(at: number): void {
    this.#conversation.greeting = at;
    this.#events.conversationChanged();
  }

  /** Other words for a message, in its place or beside it. */
  rewrite(node: MessageNode, text: string, isBranch: boolean): void {
    rewriteMessage(node.id, text, isBranch)
      .then((data) => this.#thread.merge([data], isBranch ? data.id : null))
      .catch((error: Error) => this.#events.refused(error.message));
  }

  edit(node: MessageNode, text: string): void {
    this.#thread.addQuestion(this.#ask({ type: "edit", message: node.id, text }), text, node.parent);
  }

  regenerate(node: MessageNode): void {
    this.#thread.addAnswer(this.#ask({ type: "regenerate", message: node.id }), node);
  }

  continue(node: MessageNode): void {
    this.#thread.addContinuation(this.#ask({ type: "continue", message: node.id }), node);
  }

  /** Once more: the message itself where it was refused, else another answer to it. */
  retry(node: MessageNode): void {
    const question = node.parent === null ? undefined : this.#thread.find(node.parent);
    if (!isLocal(node)) this.regenerate(node);
    else if (question && isLocal(question)) {
      this.#thread.remove(question);
      const sent = this.#sentWith.get(question);
      this.send(question.text, sent?.documents ?? [], sent?.task);
    } else {
      this.#thread.remove(node);
      if (question) this.regenerate(question);
    }
  }

  /** Stop the reply that is being written; one that the server has not confirmed yet, as soon as it does. */
  stop(): void {
    const reply = this.#thread.running?.reply;
    this.#isStopWanted = reply?.id.startsWith("local-") ?? false;
    if (reply && !this.#isStopWanted) this.#socket.send({ type: "stop", reply: reply.id });
  }

  chooseBranch(node: MessageNode): void {
    this.#chosenEnd = this.#thread.branchEnd(node);
    this.#thread.select(this.#chosenEnd.id);
    this.#keepChoice();
  }

  /** A greeting gets its id a moment after the first message does; the choice is told then. */
  #keepChoice(): void {
    const end = this.#chosenEnd;
    if (!end || isLocal(end)) return;
    this.#chosenEnd = null;
    this.#ownMoves.push(end.id);
    this.#change({ current_message: end.id });
  }

  chooseCharacter(character: Speaking | null): void {
    this.#conversation.character = character;
    this.#conversation.greeting = 0;
    this.#conversation.version = null;
    this.#change({ character: character?.slug ?? "" });
    this.#events.conversationChanged();
  }

  chooseModel(model: string | null): void {
    this.#conversation.model = model;
    this.#change({ model: model ?? "" });
    this.#events.conversationChanged();
  }

  /** Go on with the character as it is now. */
  async followCharacter(): Promise<void> {
    const { id } = this.#conversation;
    if (!id) return;
    try {
      const { character, version } = await followCharacter(id);
      if (this.#conversation.id !== id) return;
      Object.assign(this.#conversation, { character, version });
      this.#events.conversationChanged();
    } catch (error) {
      this.#events.refused((error as Error).message);
    }
  }

  rename(title: string): void {
    this.#conversation.title = title;
    this.#change({ title });
    this.#events.conversationChanged();
  }

  #change(changes: Parameters<typeof changeConversation>[1]): void {
    const { id } = this.#conversation;
    if (id) changeConversation(id, changes).catch((error: Error) => this.#events.refused(error.message));
  }

  #ask(frame: RequestFrame): string {
    const requestId = newRequestId();
    this.#asked.set(requestId, this.#thread);
    this.#socket.request(requestId, frame);
    return requestId;
  }

  // --- what the server says -----------------------------------------------------------------------------------

  #onAnswer(requestId: string, answer: SentFrame | ErrorFrame): void {
    const thread = this.#asked.get(requestId);
    this.#asked.delete(requestId);
    if (!thread || thread !== this.#thread) return;
    if (answer.type === "error") thread.refuse(requestId, answer);
    else {
      const isNew = this.#conversation.id === null;
      this.#conversation.id = answer.conversation;
      const { members } = this.#conversation;
      thread.confirm(answer, members.find(({ slug }) => slug === answer.speaker) ?? null);
      this.#events.accepted(answer.conversation);
      if (this.#isStopWanted) this.stop();
      if (isNew) this.#events.conversationChanged();
    }
    for (const run of this.#waiting.splice(0)) this.#inOrder(run);
  }

  #onFrame(frame: ServerFrame): void {
    if (isReplyFrame(frame)) this.#thread.apply(frame);
    else if (frame.type === "conversation") this.#onConversation(frame);
    else if (frame.type === "document") this.#onDocument({ name: "", ...frame, id: frame.document });
    else if (frame.type === "error" && frame.code !== "not_signed_in") this.#events.refused(frame.message);
  }

  #onConversation(frame: ConversationFrame): void {
    this.#events.listChanged(frame);
    this.#inOrder(() => {
      if (frame.conversation !== this.#conversation.id) return;
      if (frame.event === "deleted") this.#events.vanished();
      if (frame.messages) this.#onMessages(frame.messages, frame.current_message);
      else if (frame.event === "moved" && frame.current_message) this.#onMoved(frame.current_message);
      if (frame.title !== undefined && frame.title !== this.#conversation.title) {
        this.#conversation.title = frame.title;
        this.#events.conversationChanged();
      }
    });
  }

  /** News of another window moves this one along; the echo of our own words would undo what was chosen since. */
  #onMessages(messages: MessageData[], current: string | null | undefined): void {
    this.#thread.merge(messages, current, "onNews");
    this.#keepChoice();
  }

  /** Another window moved; the echo of our own moves would flip back what has been chosen since. */
  #onMoved(id: string): void {
    const own = this.#ownMoves.indexOf(id);
    if (own >= 0) this.#ownMoves.splice(0, own + 1);
    else this.#thread.select(id);
  }

  #onDocument(state: DocumentState): void {
    const known = this.#conversation.documents.find(({ id }) => id === state.id);
    if (known) Object.assign(known, { ...state, name: state.name || known.name });
    this.#events.documentChanged(state);
  }

  /** News of the tree waits for the answers that are on their way: it may be about our own action. */
  #inOrder(run: () => void): void {
    if (this.#thread.hasPending) this.#waiting.push(run);
    else run();
  }
}

function newRequestId(): string {
  // randomUUID is there on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return crypto.randomUUID?.() ?? Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function slugsOf(members: readonly Member[]): string[] {
  return members.map(({ slug }) => slug);
}
