/** One conversation as the page knows it: the tree of messages, and where each reply stands.
 *
 *  Fed by REST and by the socket in any order, it ends in the same state: nodes are merged by id, and frames of a
 *  reply that is not known yet wait for it. The server sends each frame after a cursor once, in order; a reply that
 *  is over takes no more. What the person did shows at once, as local nodes that take their ids when the server
 *  has answered. Knows nothing of the page.
 */

import { applyFrame, local, newReply, readReply, type MessageNode } from "./message-node.ts";
import { isOver, type CharacterSummary, type ConversationData, type Failure, type MessageData, type ReplyFrame, type SentFrame } from "./protocol.ts";

export interface ThreadEvents {
  /** Which messages are shown, or their order, has changed. */
  pathChanged(): void;
  /** What one message holds has changed. */
  messageChanged(node: MessageNode): void;
  /** A reply has just come to its end. */
  replyEnded(node: MessageNode): void;
}

const GREETING = "local-greeting-";

interface Pending {
  question: MessageNode | null;
  answer: MessageNode;
}

export class Thread {
  readonly #events: ThreadEvents;
  #nodes = new Map<string, MessageNode>();
  #children = new Map<string | null, MessageNode[]>();
  #byReply = new Map<string, MessageNode>();
  #early = new Map<string, ReplyFrame[]>();
  #pending = new Map<string, Pending>();
  #currentId: string | null = null;
  /** The shown path, until the tree changes: it is asked for with every frame of a reply. */
  #path: MessageNode[] | null = null;

  constructor(events: ThreadEvents) {
    this.#events = events;
  }

  /** The messages from the root through the current one to the newest end of its branch. */
  get path(): readonly MessageNode[] {
    return (this.#path ??= this.#readPath());
  }

  #readPath(): MessageNode[] {
    const path: MessageNode[] = [];
    for (let node = this.#find(this.#current); node; node = this.#find(node.parent)) path.push(node);
    path.reverse();
    if (!path.length) {
      const root = this.#children.get(null)?.at(-1);
      if (root) path.push(root);
    }
    for (let node = this.#newestChild(path.at(-1)); node; node = this.#newestChild(node)) path.push(node);
    return path;
  }

  get #current(): string | null {
    return this.#currentId;
  }

  set #current(id: string | null) {
    this.#currentId = id;
    this.#path = null;
  }

  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  /** Every message that answers the same one, this one among them, oldest first. */
  siblings(node: MessageNode): MessageNode[] {
    return this.#children.get(node.parent) ?? [];
  }

  find(id: string): MessageNode | undefined {
    return this.#nodes.get(id);
  }

  /** The reply that is being written on the shown path, if any. */
  get running(): MessageNode | undefined {
    return this.path.findLast((node) => node.reply && !isOver(node.reply.status));
  }

  /** Where each unfinished reply has been read to, for `follow`. */
  get cursors(): Record<string, string> {
    const cursors: Record<string, string> = {};
    for (const [id, { reply }] of this.#byReply) {
      if (reply?.id === id && reply.cursor && !isOver(reply.status)) cursors[id] = reply.cursor;
    }
    return cursors;
  }

  /** Whether an action has not been answered yet: news of the tree then waits, since it may be that action's. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  load(data: ConversationData): void {
    this.merge(data.messages, data.current_message);
  }

  /** Takes messages of the server, and shows `current`; `onNews` only if one of them was not known here.
   *  What a running reply has here is newer than what the server had saved of it. */
  merge(messages: MessageData[], current?: string | null, moves: "always" | "onNews" = "always"): void {
    const isNews = messages.map((data) => this.#mergeOne(data)).includes(true);
    if (current && this.#nodes.has(current) && (isNews || moves === "always")) this.#current = current;
    this.#events.pathChanged();
    for (const { reply } of messages) if (reply) this.#applyEarly(reply.id);
  }

  select(id: string): void {
    this.#current = id;
    this.#events.pathChanged();
  }

  /** The newest message of the branch that `node` begins. */
  branchEnd(node: MessageNode): MessageNode {
    let end = node;
    for (let child = this.#newestChild(end); child; child = this.#newestChild(child)) end = child;
    return end;
  }

  // --- what the person does -----------------------------------------------------------------------------------

  /** Greetings that the server will store side by side once there is a message; the `chosen`th is shown. */
  addGreetings(texts: string[], chosen: number): void {
    for (const [at, text] of texts.entries()) this.#add(local(GREETING + at, null, "assistant", text));
    this.#current = GREETING + chosen;
    this.#events.pathChanged();
  }

  addQuestion(requestId: string, text: string, parent: string | null): MessageNode {
    const question = local(`local-${requestId}`, parent, "user", text);
    this.#add(question);
    this.#await(requestId, question, local(`local-answer-${requestId}`, question.id, "assistant", ""));
    return question;
  }

  /** Another answer beside `node`, or a first one below it if it is the person's. */
  addAnswer(requestId: string, node: MessageNode): void {
    const parent = node.role === "user" ? node.id : node.parent;
    this.#await(requestId, null, local(`local-answer-${requestId}`, parent, "assistant", ""));
  }

  /** An answer below what was said last, by whoever the server says. */
  addSpeech(requestId: string, character: CharacterSummary | null): void {
    const answer = local(`local-answer-${requestId}`, this.path.at(-1)?.id ?? null, "assistant", "");
    answer.character = character;
    this.#await(requestId, null, answer);
  }

  /** A reply that carries on where `node` ends. */
  addContinuation(requestId: string, node: MessageNode): void {
    this.#await(requestId, null, node);
  }

  #await(requestId: string, question: MessageNode | null, answer: MessageNode): void {
    answer.reply = newReply(`local-${requestId}`);
    if (!this.#nodes.has(answer.id)) this.#add(answer);
    this.#pending.set(requestId, { question, answer });
    this.#current = answer.id;
    this.#events.pathChanged();
    this.#events.messageChanged(answer);
  }

  /** The server has stored the action: local nodes take their real ids. */
  confirm(sent: SentFrame, speaker: CharacterSummary | null = null): void {
    const pending = this.#pending.get(sent.request_id);
    if (!pending) return;
    this.#pending.delete(sent.request_id);
    const { question, answer } = pending;
    if (question && sent.message) this.#rename(question, sent.message);
    this.#rename(answer, sent.assistant_message);
    answer.character = speaker ?? answer.character;
    if (answer.reply) {
      answer.reply.id = sent.reply;
      this.#byReply.set(sent.reply, answer);
    }
    this.#events.pathChanged();
    this.#events.messageChanged(answer);
    this.#applyEarly(sent.reply);
  }

  /** The server refused the action; the answer that will not come says why. */
  refuse(requestId: string, error: Failure): void {
    const pending = this.#pending.get(requestId);
    if (!pending) return;
    this.#pending.delete(requestId);
    const { answer } = pending;
    if (answer.reply) Object.assign(answer.reply, { status: "failed", error });
    this.#events.messageChanged(answer);
    this.#events.replyEnded(answer);
  }

  /** Takes a refused action back, so that it can be tried again. */
  remove(node: MessageNode): void {
    this.#path = null;
    for (const child of this.#children.get(node.id) ?? []) this.remove(child);
    this.#nodes.delete(node.id);
    const siblings = this.#children.get(node.parent) ?? [];
    this.#children.set(node.parent, siblings.filter((other) => other !== node));
    if (this.#current === node.id) this.#current = node.parent;
    this.#events.pathChanged();
  }

  // --- what the socket says -----------------------------------------------------------------------------------

  apply(frame: ReplyFrame): void {
    const node = this.#byReply.get(frame.reply);
    if (!node) {
      this.#early.set(frame.reply, [...(this.#early.get(frame.reply) ?? []), frame]);
      return;
    }
    const { reply } = node;
    if (reply?.id !== frame.reply || isOver(reply.status)) return;
    reply.cursor = frame.cursor || reply.cursor;
    applyFrame(node, reply, frame);
    this.#events.messageChanged(node);
    if (isOver(reply.status)) this.#events.replyEnded(node);
  }

  #applyEarly(replyId: string): void {
    const frames = this.#early.get(replyId);
    if (!frames || !this.#byReply.has(replyId)) return;
    this.#early.delete(replyId);
    for (const frame of frames) this.apply(frame);
  }

  // --- the tree -----------------------------------------------------------------------------------------------

  /** Whether the message was not known before. */
  #mergeOne(data: MessageData): boolean {
    // The server stores greetings in the order they are offered here.
    const isGreeting = data.role === "assistant" && data.parent === null && !this.#nodes.has(data.id);
    const greeting = isGreeting ? this.#children.get(null)?.find(({ id }) => id.startsWith(GREETING)) : undefined;
    if (greeting) {
      this.#rename(greeting, data.id);
      greeting.text = data.text;
    }
    const known = this.#nodes.get(data.id);
    if (!known) {
      const node: MessageNode = {
        ...data,
        character: data.character ?? null,
        createdAt: data.created_at,
        reply: data.reply && readReply(data.reply),
      };
      this.#add(node);
      if (node.reply) this.#byReply.set(node.reply.id, node);
      return true;
    }
    this.#refresh(known, data);
    return false;
  }

  #refresh(known: MessageNode, data: MessageData): void {
    if (known.parent !== data.parent) this.#move(known, data.parent);
    known.createdAt = data.created_at;
    known.character = data.character ?? known.character;
    const isQuiet = !known.reply || isOver(known.reply.status);
    if (isQuiet && (!data.reply || isOver(data.reply.status)) && known.text !== data.text) {
      // Somebody has rewritten it, here or in another window.
      known.text = data.text;
      this.#events.messageChanged(known);
    }
    if ((known.feedback ?? null) !== (data.feedback ?? null)) {
      known.feedback = data.feedback ?? null;
      this.#events.messageChanged(known);
    }
    if (!data.reply) return;
    const isSame = known.reply?.id === data.reply.id;
    // Ids grow with time: an older reply of this message says nothing new.
    if (known.reply && !isSame && data.reply.id < known.reply.id) return;
    const wasRunning = known.reply !== null && !isOver(known.reply.status);
    if (isSame && !(wasRunning && isOver(data.reply.status))) return;
    known.reply = readReply(data.reply);
    known.text = data.text;
    known.thinking = data.thinking;
    known.sources = data.sources;
    this.#byReply.set(known.reply.id, known);
    this.#events.messageChanged(known);
    if (isOver(known.reply.status) && wasRunning) this.#events.replyEnded(known);
  }

  #find(id: string | null): MessageNode | undefined {
    return id === null ? undefined : this.#nodes.get(id);
  }

  #newestChild(node: MessageNode | undefined): MessageNode | undefined {
    return node && this.#children.get(node.id)?.at(-1);
  }

  #add(node: MessageNode): void {
    this.#path = null;
    this.#nodes.set(node.id, node);
    const siblings = this.#children.get(node.parent);
    if (siblings) siblings.push(node);
    else this.#children.set(node.parent, [node]);
  }

  /** The server knows what stands before it: the greetings of a group, for one. */
  #move(node: MessageNode, parent: string | null): void {
    this.#path = null;
    const siblings = this.#children.get(node.parent) ?? [];
    this.#children.set(node.parent, siblings.filter((other) => other !== node));
    node.parent = parent;
    this.#children.set(parent, [...(this.#children.get(parent) ?? []), node]);
  }

  #rename(node: MessageNode, id: string): void {
    if (node.id === id) return;
    const children = this.#children.get(node.id) ?? [];
    this.#nodes.delete(node.id);
    this.#children.delete(node.id);
    if (this.#current === node.id) this.#current = id;
    node.id = id;
    this.#nodes.set(id, node);
    if (children.length) this.#children.set(id, children);
    for (const child of children) child.parent = id;
  }
}
