/** The thread store: whatever order REST and the socket speak in, the tree ends the same. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { MessageNode } from "../../chat/frontend/message-node.ts";
import type { MessageData, ReplyData, ReplyFrame, SentFrame } from "../../chat/frontend/protocol.ts";
import { Thread } from "../../chat/frontend/thread.ts";

function makeThread(): { thread: Thread; ended: MessageNode[] } {
  const ended: MessageNode[] = [];
  const thread = new Thread({ pathChanged: () => undefined, messageChanged: () => undefined, replyEnded: (node) => ended.push(node) });
  return { thread, ended };
}

function message(id: string, parent: string | null, role: "user" | "assistant", text = "", reply: Partial<ReplyData> | null = null): MessageData {
  const full = reply && { id: `r-${id}`, status: "complete" as const, model: "m", error: null, usage: null, thinking_seconds: null, cursor: "", ...reply };
  return { id, parent, role, text, thinking: "", sources: [], created_at: "2026-11-21T09:00:00Z", reply: full };
}

function sent(requestId: string, ids: Partial<SentFrame> = {}): SentFrame {
  return { type: "sent", request_id: requestId, conversation: "c", message: "q1", assistant_message: "a1", reply: "r1", parent: "q1", ...ids };
}

function delta(reply: string, cursor: string, text: string): ReplyFrame {
  return { type: "delta", reply, cursor, text, kind: "answer" };
}

const ids = (thread: Thread): string[] => thread.path.map(({ id }) => id);
const TREE = [
  message("q", null, "user", "Hello"),
  message("a", "q", "assistant", "First", {}),
  message("b", "q", "assistant", "Second", {}),
  message("q2", "a", "user", "More"),
  message("a2", "q2", "assistant", "Answer", {}),
];

test("the path goes through the current message to the newest end of its branch", () => {
  const { thread } = makeThread();
  thread.merge(TREE, "a");
  assert.deepEqual(ids(thread), ["q", "a", "q2", "a2"]);
  thread.select("b");
  assert.deepEqual(ids(thread), ["q", "b"]);
  assert.deepEqual(thread.siblings(thread.find("b") as MessageNode).map(({ id }) => id), ["a", "b"]);
});

test("the path is read anew when the tree changes, and only then", () => {
  const { thread } = makeThread();
  thread.merge(TREE, "a");
  const path = thread.path;
  thread.apply(delta("r-a2", "1-1", "late"));
  assert.equal(thread.path, path);
  thread.addQuestion("x", "Again", "a2");
  assert.deepEqual(ids(thread).slice(-2), ["local-x", "local-answer-x"]);
  thread.remove(thread.find("local-x") as MessageNode);
  assert.deepEqual(ids(thread), ["q", "a", "q2", "a2"]);
});

test("a question shows at once and keeps its node when the server has answered", () => {
  const { thread, ended } = makeThread();
  thread.addQuestion("x", "Hello", null);
  const [question, answer] = thread.path;
  assert.equal(answer?.reply?.status, "queued");
  thread.confirm(sent("x"));
  assert.equal(question?.id, "q1");
  assert.equal(thread.path[1], answer);
  thread.apply(delta("r1", "1-1", "Hel"));
  thread.apply(delta("r1", "1-2", "lo"));
  thread.apply({ type: "status", reply: "r1", cursor: "1-3", status: "complete" });
  assert.equal(answer?.text, "Hello");
  assert.deepEqual(ended, [answer]);
});

test("frames of a reply that is not known yet wait for it", () => {
  const { thread } = makeThread();
  thread.apply(delta("r-a", "1-1", "Early"));
  thread.merge([message("q", null, "user"), message("a", "q", "assistant", "", { status: "running" })], "a");
  assert.equal(thread.find("a")?.text, "Early");
});

test("the server's news of an own action changes nothing", () => {
  const { thread } = makeThread();
  thread.addQuestion("x", "Hello", null);
  thread.confirm(sent("x"));
  thread.apply(delta("r1", "1-1", "Some text"));
  thread.merge([message("q1", null, "user", "Hello"), message("a1", "q1", "assistant", "", { id: "r1", status: "running" })], "a1");
  assert.deepEqual(ids(thread), ["q1", "a1"]);
  assert.equal(thread.find("a1")?.text, "Some text");
});

test("a greeting takes its real place when the server tells of it", () => {
  const { thread } = makeThread();
  thread.addGreetings(["Good evening.", "Good night."], 0);
  thread.addQuestion("x", "Hello", "local-greeting-0");
  thread.confirm(sent("x"));
  thread.merge([message("g", null, "assistant", "Good evening."), message("q1", "g", "user", "Hello")]);
  assert.deepEqual(ids(thread), ["g", "q1", "a1"]);
});

test("a greeting chosen before the server tells of it stays chosen", () => {
  const { thread } = makeThread();
  thread.addGreetings(["Good evening.", "Good night."], 1);
  thread.addQuestion("x", "Hello", "local-greeting-1");
  thread.confirm(sent("x"));
  thread.select("local-greeting-0");
  const told = [
    message("g0", null, "assistant", "Good evening."),
    message("g1", null, "assistant", "Good night."),
    message("q1", "g1", "user", "Hello"),
  ];
  thread.merge(told, "a1", "onNews");
  assert.deepEqual(ids(thread), ["g0"]);
  thread.merge([message("q2", "g1", "user", "Said elsewhere")], "q2", "onNews");
  assert.deepEqual(ids(thread), ["g1", "q2"]);
});

test("a reconnection follows from the last cursor and takes a reply that ended meanwhile whole", () => {
  const { thread, ended } = makeThread();
  const running = [message("q", null, "user"), message("a", "q", "assistant", "", { status: "running" })];
  thread.merge(running, "a");
  thread.apply(delta("r-a", "1-7", "Half"));
  assert.deepEqual(thread.cursors, { "r-a": "1-7" });
  thread.merge(running, "a");
  assert.equal(thread.find("a")?.text, "Half");
  thread.merge([message("a", "q", "assistant", "Half and whole", {})], "a");
  assert.equal(thread.find("a")?.text, "Half and whole");
  assert.equal(ended.length, 1);
  thread.apply(delta("r-a", "1-8", " doubled"));
  assert.equal(thread.find("a")?.text, "Half and whole");
});

test("a reset forgets the text and the reply starts over", () => {
  const { thread } = makeThread();
  thread.merge([message("a", null, "assistant", "", { status: "running" })], "a");
  thread.apply(delta("r-a", "1-1", "Old"));
  thread.apply({ type: "reset", reply: "r-a", cursor: "2-0" });
  thread.apply(delta("r-a", "2-1", "New"));
  assert.equal(thread.find("a")?.text, "New");
});

test("a continuation belongs to the same message and its newer reply", () => {
  const { thread } = makeThread();
  thread.merge([message("q", null, "user"), message("a", "q", "assistant", "One", { id: "r-1", status: "stopped" })], "a");
  const node = thread.find("a") as MessageNode;
  thread.addContinuation("x", node);
  thread.confirm(sent("x", { message: null, assistant_message: "a", reply: "r-2" }));
  thread.apply(delta("r-2", "1-1", " two"));
  assert.equal(node.text, "One two");
  thread.merge([message("a", "q", "assistant", "One", { id: "r-1", status: "stopped" })]);
  assert.equal(node.reply?.id, "r-2");
});

test("a refused question says why and can be taken back", () => {
  const { thread } = makeThread();
  thread.merge(TREE, "a2");
  thread.addQuestion("x", "Too long", "a2");
  thread.refuse("x", { code: "message_too_long", message: "Shorten it." });
  const answer = thread.path.at(-1) as MessageNode;
  assert.equal(answer.reply?.error?.message, "Shorten it.");
  thread.remove(thread.find(answer.parent as string) as MessageNode);
  assert.deepEqual(ids(thread), ["q", "a", "q2", "a2"]);
});

test("a question moves below greetings that only the server knew of", () => {
  const { thread } = makeThread();
  thread.addQuestion("x", "Hello", null);
  thread.confirm(sent("x"));
  thread.merge([
    message("g1", null, "assistant", "Ann is here."),
    message("g2", "g1", "assistant", "Ben is here."),
    message("q1", "g2", "user", "Hello"),
  ]);
  assert.deepEqual(ids(thread), ["g1", "g2", "q1", "a1"]);
});

test("words that were changed by hand replace those that are shown", () => {
  const { thread } = makeThread();
  thread.merge([message("a", null, "assistant", "Before")]);
  thread.merge([message("a", null, "assistant", "After")]);
  assert.equal(thread.find("a")?.text, "After");
});
