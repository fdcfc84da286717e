/** What the page and the server say to each other: the socket's frames and the REST bodies it uses. Types only. */

import type { Task } from "../../documents/frontend/tasks.ts";

export type ReplyStatus = "queued" | "running" | "complete" | "stopped" | "failed";

export interface Failure {
  code: string;
  message: string;
}

export interface Source {
  n: number;
  document: string;
  name: string;
  page: number;
  text: string;
  /** Code points of the page's text. */
  start: number;
  end: number;
  score: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

export interface ReplyData {
  id: string;
  status: ReplyStatus;
  model: string;
  error: Failure | null;
  usage: Usage | null;
  thinking_seconds: number | null;
  cursor: string | null;
}

export type Verdict = "up" | "down";

export interface MessageData {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  /** Who says it, where that is not the conversation's character. */
  character?: CharacterSummary | null;
  text: string;
  thinking: string;
  sources: Source[];
  created_at: string;
  reply: ReplyData | null;
  /** What the person thinks of the answer. */
  feedback?: Verdict | null;
}

export interface CharacterSummary {
  slug: string;
  name: string;
  avatar_url: string | null;
}

export interface Character extends CharacterSummary {
  tagline: string;
  description: string;
  greeting: string;
  /** All of them, the usual one first; `{{user}}` stands where the person's name goes. */
  greetings: string[];
  suggestions: string[];
  tags: string[];
  model: string | null;
  is_grounded: boolean;
}

export interface ModelSummary {
  name: string;
  label: string;
  is_default: boolean;
}

/** Who the person is in a chat. */
export interface Persona {
  id: string;
  name: string;
  description: string;
  avatar_url: string;
  is_default: boolean;
}

export type TurnOrder = "turn" | "mention" | "choice";

/** A character in a group. */
export interface Member extends CharacterSummary {
  is_muted: boolean;
}

/** What the page comes with. */
export interface Bootstrap {
  cast: Character[];
  models: ModelSummary[];
  personas: Persona[];
  user_name: string;
}

export interface DocumentState {
  id: string;
  name: string;
  status: "queued" | "extracting" | "embedding" | "ready" | "failed";
  progress: number;
  eta_seconds?: number | null;
  error?: string | null;
}

export interface ConversationSummary {
  id: string;
  title: string;
  character: CharacterSummary | null;
  model: string | null;
  updated_at: string;
  has_running_reply: boolean;
}

/** Which version of its character a conversation keeps, where the character has a newer one. */
export interface VersionData {
  kept: number;
  newest: number;
}

export interface ConversationData {
  id: string;
  title: string;
  character: CharacterSummary | null;
  version: VersionData | null;
  model: string | null;
  persona: string | null;
  author_note: string;
  author_note_depth: number;
  /** Empty where the chat is no group. */
  turn_order: TurnOrder | "";
  members: Member[];
  collections: { id: string; name: string }[];
  documents: DocumentState[];
  current_message: string | null;
  messages: MessageData[];
}

/** A part of what a model got; `text` is null where this person may not read it. */
export interface PromptPart {
  kind: string;
  role: string;
  label: string;
  tokens: number;
  text: string | null;
}

export interface PromptEntry {
  book: string;
  entry: string;
  reason: "key" | "always" | "recursion" | "forced" | "kept";
  because: string | null;
  tokens: number;
  place: string;
  is_left_out: boolean;
}

export interface PromptData {
  model: string;
  counted_tokens: number | null;
  tokens: number;
  parts: PromptPart[];
  entries: PromptEntry[];
  left_out_messages: number;
  undecided_entries: number;
  settings: Record<string, string>;
  has_secrets: boolean;
}

// --- frames to the server -------------------------------------------------------------------------------------

export interface SendFrame {
  type: "send";
  text: string;
  task?: Task;
  conversation: string | null;
  parent: string | null;
  character: string | null;
  model: string | null;
  documents: string[];
  greeting?: number;
  persona?: string | null;
  group?: string[];
  muted?: string[];
  turn_order?: TurnOrder;
  speaker?: string | null;
}

/** Frames that begin a reply; the socket gives them a `request_id` and keeps them until they are answered. */
export type RequestFrame =
  | SendFrame
  | { type: "edit"; message: string; text: string }
  | { type: "regenerate"; message: string }
  | { type: "continue"; message: string }
  | { type: "speak"; conversation: string; speaker: string };

export type PlainFrame =
  | { type: "follow"; conversation: string; cursors: Record<string, string> }
  | { type: "unfollow"; conversation: string }
  | { type: "stop"; reply: string }
  | { type: "ping" };

// --- frames from the server -----------------------------------------------------------------------------------

export interface DeltaFrame {
  type: "delta";
  reply: string;
  cursor: string;
  text: string;
  kind: "answer" | "thinking";
}

export interface SourcesFrame {
  type: "sources";
  reply: string;
  cursor: string;
  sources: Source[];
  /** These come to what there is, rather than in its place. */
  is_more?: boolean;
}

export interface StatusFrame {
  type: "status";
  reply: string;
  cursor: string;
  status: ReplyStatus;
  waiting_for?: "documents" | "slot";
  queue_position?: number;
  /** Of a task: what it does, and how far it is. */
  stage?: "reading" | "merging" | "writing";
  step?: number;
  steps?: number;
  thinking_seconds?: number;
  usage?: Usage;
  error?: Failure;
}

export interface ResetFrame {
  type: "reset";
  reply: string;
  cursor: string;
}

export type ReplyFrame = DeltaFrame | SourcesFrame | StatusFrame | ResetFrame;

export interface SentFrame {
  type: "sent";
  request_id: string;
  conversation: string;
  message: string | null;
  assistant_message: string;
  reply: string;
  parent: string | null;
  /** In a group: the short name of who answers. */
  speaker?: string | null;
}

export interface ConversationFrame {
  type: "conversation";
  conversation: string;
  event: "created" | "titled" | "moved" | "deleted" | "message" | "judged";
  title?: string;
  current_message?: string;
  messages?: MessageData[];
}

export interface DocumentFrame {
  type: "document";
  document: string;
  status: DocumentState["status"];
  progress: number;
  eta_seconds?: number | null;
  name?: string;
  error?: string | null;
}

export interface ErrorFrame {
  type: "error";
  code: string;
  message: string;
  request_id?: string;
}

export type ServerFrame = ReplyFrame | SentFrame | ConversationFrame | DocumentFrame | ErrorFrame | { type: "pong" };

export function isReplyFrame(frame: ServerFrame): frame is ReplyFrame {
  return frame.type === "delta" || frame.type === "sources" || frame.type === "status" || frame.type === "reset";
}

export function isOver(status: ReplyStatus): boolean {
  return status === "complete" || status === "stopped" || status === "failed";
}
