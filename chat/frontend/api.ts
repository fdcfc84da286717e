/** The REST calls of the chat page; each throws an ApiError whose message can be shown. */

import { apiHeaders, callApi, readError } from "../../config/frontend/api.ts";
import type { ConversationData, ConversationSummary, DocumentState, Member, MessageData, PromptData, TurnOrder, Verdict } from "./protocol.ts";

export interface Page<T> {
  items: T[];
  next: string | null;
}

export function listConversations(query: string, cursor: string | null, signal?: AbortSignal): Promise<Page<ConversationSummary>> {
  const parameters = new URLSearchParams({ limit: "40" });
  if (query) parameters.set("query", query);
  if (cursor) parameters.set("cursor", cursor);
  return callApi("GET", `/conversations?${parameters}`, undefined, signal);
}

export function getConversation(id: string, signal?: AbortSignal): Promise<ConversationData> {
  return callApi("GET", `/conversations/${id}`, undefined, signal);
}

/** Empty strings take a choice back. */
export interface ConversationChanges {
  title?: string;
  current_message?: string;
  character?: string;
  model?: string;
}

export function changeConversation(id: string, changes: ConversationChanges): Promise<unknown> {
  return callApi("PATCH", `/conversations/${id}`, changes);
}

export interface SceneChanges {
  persona: string;
  author_note: string;
  author_note_depth: number;
}

export function changeScene(id: string, changes: SceneChanges): Promise<ConversationData> {
  return callApi("PATCH", `/conversations/${id}/scene`, changes);
}

/** A group of these members, or with none a chat with one character again. */
export function changeGroup(id: string, members: Member[], turnOrder: TurnOrder): Promise<ConversationData> {
  if (!members.length) return callApi("DELETE", `/conversations/${id}/group`);
  const muted = members.filter((member) => member.is_muted).map(({ slug }) => slug);
  return callApi("PUT", `/conversations/${id}/group`, { members: members.map(({ slug }) => slug), muted, turn_order: turnOrder });
}

/** Other words for a message, in its place or beside it. */
export function rewriteMessage(id: string, text: string, isBranch: boolean): Promise<MessageData> {
  return isBranch ? callApi("POST", `/messages/${id}/branch`, { text }) : callApi("PATCH", `/messages/${id}`, { text });
}

/** What the model got for an answer. */
export function getPrompt(message: string): Promise<PromptData> {
  return callApi("GET", `/messages/${message}/prompt`);
}

/** The person's next words as the model writes them, piece by piece. */
export async function* impersonate(conversation: string, signal: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(`/c/${conversation}/impersonate`, { method: "POST", headers: apiHeaders(), signal });
  if (!response.ok || !response.body) throw readError(response.status, await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (held + read.value).split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) {
      const { text, error } = JSON.parse(line) as { text?: string; error?: string };
      if (error) throw new Error(error);
      if (text) yield text;
    }
  }
}

export function followCharacter(id: string): Promise<ConversationData> {
  return callApi("POST", `/conversations/${id}/follow-character`);
}

/** Null takes the verdict back. */
export function setFeedback(message: string, verdict: Verdict | null): Promise<void> {
  return callApi("PUT", `/messages/${message}/feedback`, { verdict });
}

export function deleteConversation(id: string): Promise<void> {
  return callApi("DELETE", `/conversations/${id}`);
}

export function getDocument(id: string): Promise<DocumentState> {
  return callApi("GET", `/documents/${id}`);
}
