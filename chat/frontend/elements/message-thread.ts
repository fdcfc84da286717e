/** <message-thread>: the messages of the shown branch, in a column that scrolls.
 *
 *  It follows the end only while the person is there. Messages far from the screen are empty shells; they are
 *  drawn as they come near, words first, then code and formulas a few a frame. When the browser is idle the words of
 *  the rest are drawn, so that find-in-page and screen readers meet them.
 */

import { gettext } from "../../../config/frontend/words.ts";
import { make } from "../dom.ts";
import { FrameQueue } from "../frame-queue.ts";
import type { MessageNode } from "../message-node.ts";
import type { Thread } from "../thread.ts";
import { ChatMessage, type MessageView, type Speaker } from "./chat-message.ts";

/** So near the end counts as being there: a line's height. */
const END_PX = 32;
/** Two screens ahead, at a fast fling, is drawn in time. */
const NEAR = "150% 0px";
/** Messages that are skipped or laid out together. One by one, a thousand of them cost the browser 6 ms of every
 *  frame to see which are near the screen, in fives 1 ms; tens of long ones take more than a frame to lay out. */
const GROUP = 5;
/** More than a tall screen holds. */
const FIRST_DRAWN = 16;
/** A message's words take less than this to draw. */
const IDLE_REST_MS = 4;

export interface ThreadContext {
  speaker: Speaker;
  reading: number | null;
}

export class MessageThread extends HTMLElement {
  #thread: Thread | null = null;
  #context: ThreadContext = { speaker: { name: "", avatarUrl: null, pageUrl: null }, reading: null };
  #elements = new Map<MessageNode, ChatMessage>();
  #column = make("div", { class: "thread-column" });
  #dirty = new Set<MessageNode>();
  #frame = 0;
  #isFollowing = true;
  #lastTop = 0;
  #near: IntersectionObserver | null = null;
  #ornaments = new FrameQueue();
  /** Shells, oldest first, for the idle browser to draw. */
  #shells: ChatMessage[] = [];
  #idle = 0;
  // Formulas, colours and a resized window change heights without a message changing.
  #heights = new ResizeObserver(() => this.#keepEnd());

  connectedCallback(): void {
    if (!this.#column.isConnected) this.append(this.#column);
    this.addEventListener("scroll", this.#onScroll, { passive: true });
    this.#near = new IntersectionObserver((entries) => this.#drawNear(entries), { root: this, rootMargin: NEAR });
    this.#heights.observe(this.#column);
  }

  disconnectedCallback(): void {
    this.removeEventListener("scroll", this.#onScroll);
    this.#near?.disconnect();
    this.#heights.disconnect();
    this.#ornaments.clear();
    this.#shells = [];
    cancelAnimationFrame(this.#frame);
  }

  /** Show a thread from its newest message. */
  open(thread: Thread, context: ThreadContext): void {
    this.#thread = thread;
    this.#context = context;
    this.#elements.clear();
    this.#dirty.clear();
    this.#near?.disconnect();
    this.#ornaments.clear();
    this.#column.replaceChildren();
    this.#isFollowing = true;
    this.showPath();
  }

  set context(context: ThreadContext) {
    this.#context = context;
    const running = this.#thread?.running;
    if (running) this.changed(running);
  }

  /** The shown branch is another, or longer: keep the elements that stay, add and remove the others. */
  showPath(): void {
    const path = this.#thread?.path ?? [];
    const shown = new Set(path);
    for (const [node, element] of this.#elements) {
      if (shown.has(node)) continue;
      this.#elements.delete(node);
      element.remove();
    }
    const elements = path.map((node) => this.#elementFor(node));
    for (let at = 0; at < elements.length; at += GROUP) this.#fillGroup(at / GROUP, elements.slice(at, at + GROUP));
    while (this.#column.childElementCount > Math.ceil(path.length / GROUP)) this.#column.lastElementChild?.remove();
    for (const element of elements.slice(-FIRST_DRAWN)) this.#draw(element);
    this.#keepEnd();
    this.#shells = elements.filter((element) => !element.isRendered);
    this.#drawWhenIdle();
  }

  /** The element of a message that stays, brought up to date, or a new shell. */
  #elementFor(node: MessageNode): ChatMessage {
    const view = this.#viewOf(node);
    let element = this.#elements.get(node);
    if (!element) {
      element = new ChatMessage();
      element.place(node, view);
      this.#elements.set(node, element);
    } else if (element.isRendered && element.isMoved(view)) element.render(view);
    return element;
  }

  /** The `index`th group holds exactly these; most often it does already. */
  #fillGroup(index: number, elements: ChatMessage[]): void {
    const known = this.#column.children[index] as HTMLElement | undefined;
    const group = known ?? make("div", { class: "thread-group", role: "presentation" });
    const isSame = group.childElementCount === elements.length && elements.every((element, place) => group.children[place] === element);
    if (isSame) return;
    for (const [place, element] of elements.entries()) {
      if (group.children[place] !== element) group.insertBefore(element, group.children[place] ?? null);
    }
    while (group.childElementCount > elements.length) group.lastElementChild?.remove();
    const height = elements.reduce((sum, element) => sum + element.expectedHeight, 0);
    group.style.containIntrinsicBlockSize = `auto ${height}px`;
    if (!known) this.#column.append(group);
    // Also where it was seen before: who has come into it may not be drawn yet.
    this.#near?.unobserve(group);
    this.#near?.observe(group);
  }

  /** A message's content has changed; drawn with the next frame, however many changes come before it. */
  changed(node: MessageNode): void {
    this.#dirty.add(node);
    this.#frame ||= requestAnimationFrame(() => this.#drawDirty());
  }

  elementOf(node: MessageNode): ChatMessage | undefined {
    return this.#elements.get(node);
  }

  get isAtEnd(): boolean {
    return this.scrollHeight - this.scrollTop - this.clientHeight < END_PX;
  }

  scrollToEnd(isSmooth = false): void {
    this.#isFollowing = true;
    this.scrollTo({ top: this.scrollHeight, behavior: isSmooth ? "smooth" : "instant" });
    this.#tellPlace();
  }

  #drawDirty(): void {
    this.#frame = 0;
    for (const node of this.#dirty) {
      const element = this.#elements.get(node);
      if (element) element.render(this.#viewOf(node));
    }
    this.#dirty.clear();
    this.#keepEnd();
  }

  #viewOf(node: MessageNode): MessageView {
    const siblings = this.#thread?.siblings(node) ?? [node];
    return { ...this.#context, place: siblings.indexOf(node), siblings: siblings.length };
  }

  #keepEnd(): void {
    if (this.#isFollowing) {
      this.scrollTop = this.scrollHeight;
      this.#lastTop = this.scrollTop;
    }
    this.#tellPlace();
  }

  /** Only the person scrolls up; text that grows or shrinks never ends the following. */
  #onScroll = (): void => {
    if (this.isAtEnd) this.#isFollowing = true;
    else if (this.scrollTop < this.#lastTop) this.#isFollowing = false;
    this.#lastTop = this.scrollTop;
    this.#tellPlace();
  };

  #tellPlace(): void {
    this.toggleAttribute("data-away", !this.#isFollowing && !this.isAtEnd);
  }

  #drawNear(entries: IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of entries.toReversed()) {
      if (!isIntersecting) continue;
      this.#near?.unobserve(target);
      for (const element of [...target.children].reverse() as ChatMessage[]) {
        this.#draw(element);
        this.#ornaments.add(...element.takeOrnaments().map((ornament) => () => ornament.decorate()));
      }
    }
  }

  /** Words first; what is being written is drawn whole, since it is looked at. */
  #draw(element: ChatMessage): void {
    if (element.isRendered) return;
    if (element.isStreaming) element.render();
    else element.renderPlain();
  }

  #drawWhenIdle(): void {
    if (this.#idle || !this.#shells.length || !("requestIdleCallback" in window)) return;
    this.#idle = requestIdleCallback((deadline) => {
      this.#idle = 0;
      while (this.#shells.length && deadline.timeRemaining() > IDLE_REST_MS) this.#draw(this.#shells.pop() as ChatMessage);
      if (this.#shells.length) this.#drawWhenIdle();
    });
  }
}

/** The text of a finished reply, as a screen reader should hear it: words, without marks. */
export function describeReply(element: ChatMessage, speaker: Speaker): string {
  const text = element.querySelector("markdown-text")?.textContent?.trim() ?? "";
  return gettext("%(name)s: %(text)s", { name: speaker.name, text });
}

customElements.define("message-thread", MessageThread);
