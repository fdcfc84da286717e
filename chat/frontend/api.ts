/** The REST calls of the chat page; each throws an ApiError whose message can be shown. */

import { callApi } from "../../config/frontend/api.ts";
import type { ConversationData, ConversationSummary, DocumentState, Verdict } from "./protocol.ts";

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
