/** A message of the tree and the reply that writes it, as the page keeps them; and what one frame changes in them. */

import type { CharacterSummary, Failure, MessageData, ReplyFrame, ReplyStatus, Source, StatusFrame, Usage, Verdict } from "./protocol.ts";

export interface Reply {
  id: string;
  status: ReplyStatus;
  model: string;
  error: Failure | null;
  usage: Usage | null;
  thinkingSeconds: number | null;
  cursor: string | null;
  waitingFor: "documents" | "slot" | null;
  queuePosition: number | null;
  progress: Progress | null;
}

/** How far a task about whole documents is: `step` of `steps`, from 1. */
export interface Progress {
  stage: NonNullable<StatusFrame["stage"]>;
  step: number;
  steps: number;
}

/** A message; the same object for as long as the conversation is open, whatever becomes of its id. */
export interface MessageNode {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  /** Who says it, where that is not the conversation's character. */
  character: CharacterSummary | null;
  text: string;
  thinking: string;
  sources: Source[];
  createdAt: string;
  reply: Reply | null;
  feedback?: Verdict | null;
}

/** Whether the server has not given it its id yet. */
export function isLocal(node: MessageNode): boolean {
  return node.id.startsWith("local-");
}

/** What the person did, before the server has answered. */
export function local(id: string, parent: string | null, role: MessageNode["role"], text: string): MessageNode {
  return { id, parent, role, character: null, text, thinking: "", sources: [], createdAt: new Date().toISOString(), reply: null };
}

/** A reply that waits to be accepted. */
export function newReply(id: string): Reply {
  return {
    id, status: "queued", model: "", error: null, usage: null, thinkingSeconds: null, cursor: null,
    waitingFor: null, queuePosition: null, progress: null,
  };
}

/** A reply as REST tells it. */
export function readReply(data: MessageData["reply"] & object): Reply {
  const { thinking_seconds: thinkingSeconds, ...rest } = data;
  return { ...rest, thinkingSeconds, waitingFor: null, queuePosition: null, progress: null };
}

/** Takes one frame of the reply; the cursor is the thread's to keep. */
export function applyFrame(node: MessageNode, reply: Reply, frame: ReplyFrame): void {
  switch (frame.type) {
    case "delta":
      reply.status = "running";
      reply.progress = null;
      if (frame.kind === "thinking") node.thinking += frame.text;
      else node.text += frame.text;
      break;
    case "sources":
      node.sources = frame.is_more ? [...node.sources, ...frame.sources] : frame.sources;
      break;
    case "reset":
      node.text = "";
      node.thinking = "";
      break;
    case "status":
      reply.status = frame.status;
      reply.waitingFor = frame.waiting_for ?? null;
      reply.queuePosition = frame.queue_position ?? null;
      reply.progress = readProgress(frame);
      reply.thinkingSeconds = frame.thinking_seconds ?? reply.thinkingSeconds;
      reply.usage = frame.usage ?? reply.usage;
      reply.error = frame.error ?? reply.error;
  }
}

function readProgress({ stage, step, steps }: StatusFrame): Progress | null {
  return stage && step && steps ? { stage, step, steps } : null;
}
