/** The page's one connection to the server.
 *
 *  It comes back by itself, and repeats every request that was not answered yet: a `request_id` makes a repeat
 *  harmless. What to follow after a new connection is the page's to say, on "open". Knows nothing of messages.
 */

import type { ErrorFrame, PlainFrame, RequestFrame, SentFrame, ServerFrame } from "./protocol.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
/** Proxies drop connections that are silent for a minute. */
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 8_000;
/** The server's close code for a person who is not signed in (any more). */
const NOT_SIGNED_IN = 4401;
/** A connection that never opens is given up; browsers themselves would wait for minutes. */
const OPEN_WITHIN_MS = 10_000;

export interface SocketEvents {
  open(): void;
  close(): void;
  /** The server knows nobody here; there is no use in trying again. */
  signedOut(): void;
  frame(frame: ServerFrame): void;
  answered(requestId: string, answer: SentFrame | ErrorFrame): void;
}

type Timer = ReturnType<typeof setTimeout>;

export class ChatSocket {
  #url: string;
  #events: SocketEvents;
  #socket: WebSocket | null = null;
  #unanswered = new Map<string, RequestFrame>();
  #attempts = 0;
  #retryTimer: Timer | undefined;
  #pingTimer: Timer | undefined;
  #deadline: Timer | undefined;

  constructor(url: string, events: SocketEvents) {
    this.#url = url;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect(): void {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#drop(socket), OPEN_WITHIN_MS);
    socket.onopen = () => this.#onOpen();
    socket.onmessage = (event) => this.#onMessage(String(event.data));
    socket.onclose = (event) => {
      this.#drop(socket);
      if (event.code !== NOT_SIGNED_IN) return;
      clearTimeout(this.#retryTimer);
      this.#events.signedOut();
    };
  }

  /** Something says the network is back, or somebody looks at the page: try now, or check that it still works. */
  wake(): void {
    if (!this.#socket) this.connect();
    else if (this.isOpen) this.#ping();
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#stopTimers();
    socket?.close();
  }

  /** Sends now if there is a connection; otherwise it is left out, since "open" renews what must last. */
  send(frame: PlainFrame): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(frame));
  }

  /** Sends until it is answered, over as many connections as that takes. */
  request(requestId: string, frame: RequestFrame): void {
    this.#unanswered.set(requestId, frame);
    if (this.isOpen) this.#socket?.send(JSON.stringify({ ...frame, request_id: requestId }));
  }

  #onOpen(): void {
    clearTimeout(this.#deadline);
    this.#attempts = 0;
    this.#schedulePing();
    for (const [requestId, frame] of this.#unanswered) this.request(requestId, frame);
    this.#events.open();
  }

  #onMessage(data: string): void {
    // Any word from the server proves the connection.
    clearTimeout(this.#deadline);
    const frame = JSON.parse(data) as ServerFrame;
    if ((frame.type === "sent" || frame.type === "error") && frame.request_id) {
      // A repeat may be answered twice; the second answer says nothing new.
      if (this.#unanswered.delete(frame.request_id)) this.#events.answered(frame.request_id, frame);
    } else {
      this.#events.frame(frame);
    }
  }

  #schedulePing(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      this.#ping();
      this.#schedulePing();
    }, PING_EVERY_MS);
  }

  #ping(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.send({ type: "ping" });
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#drop(socket), PONG_WITHIN_MS);
  }

  #drop(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    this.#stopTimers();
    this.#retryTimer = setTimeout(() => this.connect(), retryDelay(this.#attempts));
    this.#attempts += 1;
    this.#events.close();
  }

  #stopTimers(): void {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#deadline);
  }
}

/** Grows from attempt to attempt, with enough chance in it that a restarted server is not met by all at once. */
export function retryDelay(attempts: number, chance: number = Math.random()): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);
  return longest / 2 + (longest / 2) * chance;
}
