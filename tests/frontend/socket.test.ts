/** The socket client: requests outlive connections, and connections come back. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { ChatSocket, retryDelay } from "../../chat/frontend/socket.ts";

/** A socket whose other end is the test. */
class Wire {
  static readonly OPEN = 1;
  static all: Wire[] = [];
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    Wire.all.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = Wire.OPEN;
    this.onopen?.();
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  cut(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const said: unknown[] = [];
const events = {
  open: () => said.push("open"),
  close: () => said.push("close"),
  signedOut: () => said.push("signed out"),
  frame: (frame: unknown) => said.push(frame),
  answered: (id: string) => said.push(`answered ${id}`),
};

beforeEach(() => {
  Wire.all = [];
  said.length = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  (globalThis as { WebSocket: unknown }).WebSocket = Wire;
});

afterEach(() => mock.timers.reset());

test("a request is repeated on the next connection until it is answered, then never again", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  Wire.all[0]?.open();
  socket.request("1", { type: "regenerate", message: "m" });
  Wire.all[0]?.cut();
  mock.timers.tick(20_000);
  Wire.all[1]?.open();
  assert.deepEqual(Wire.all[1]?.sent, [{ type: "regenerate", message: "m", request_id: "1" }]);
  Wire.all[1]?.say({ type: "sent", request_id: "1" });
  Wire.all[1]?.say({ type: "sent", request_id: "1" });
  Wire.all[1]?.cut();
  mock.timers.tick(20_000);
  Wire.all[2]?.open();
  assert.deepEqual(Wire.all[2]?.sent, []);
  assert.equal(said.filter((word) => word === "answered 1").length, 1);
});

test("a request made without a connection goes out with the first", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  socket.request("1", { type: "continue", message: "m" });
  assert.deepEqual(Wire.all[0]?.sent, []);
  Wire.all[0]?.open();
  assert.equal(Wire.all[0]?.sent.length, 1);
});

test("a connection that answers no ping is given up", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  Wire.all[0]?.open();
  socket.wake();
  assert.deepEqual(Wire.all[0]?.sent, [{ type: "ping" }]);
  mock.timers.tick(9_000);
  assert.ok(said.includes("close"));
  mock.timers.tick(1_000);
  assert.equal(Wire.all.length, 2);
});

test("an answered ping keeps the connection", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  Wire.all[0]?.open();
  socket.wake();
  Wire.all[0]?.say({ type: "pong" });
  mock.timers.tick(9_000);
  assert.equal(Wire.all.length, 1);
  socket.close();
});

test("waking without a connection tries at once", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  Wire.all[0]?.cut();
  socket.wake();
  assert.equal(Wire.all.length, 2);
});

test("a person who is signed out is told, and no connection is tried again", () => {
  const socket = new ChatSocket("ws://x", events);
  socket.connect();
  Wire.all[0]?.open();
  Wire.all[0]?.cut(4401);
  mock.timers.tick(60_000);
  assert.ok(said.includes("signed out"));
  assert.equal(Wire.all.length, 1);
});

test("attempts come further apart, spread, and never more than ten seconds", () => {
  assert.ok(retryDelay(0, 0) < retryDelay(3, 0));
  assert.ok(retryDelay(2, 0) < retryDelay(2, 1));
  assert.equal(retryDelay(30, 1), 10_000);
});
