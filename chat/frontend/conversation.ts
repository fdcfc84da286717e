/** What the open conversation is besides its messages, and what the session tells of it. Types and their making. */

import type { CharacterSummary, ConversationData, ConversationFrame, DocumentState, Member, TurnOrder, VersionData } from "./protocol.ts";
import type { ThreadEvents } from "./thread.ts";

/** What belongs to the conversation besides its messages. */
export interface Conversation {
  id: string | null;
  title: string;
  character: Speaking | null;
  version: VersionData | null;
  model: string | null;
  documents: DocumentState[];
  persona: string | null;
  authorNote: string;
  authorNoteDepth: number;
  /** Empty where the chat is no group. */
  turnOrder: TurnOrder | "";
  members: Member[];
  /** In a group: who shall answer next, null for whoever's turn it is. */
  speaker: string | null;
  /** Which greeting a new chat begins with. */
  greeting: number;
}

/** A character; one that is about to begin a conversation comes with its greetings. */
export type Speaking = CharacterSummary & { greetings?: string[] };

export interface SessionEvents extends ThreadEvents {
  /** Another thread is open, or the same one has been read for the first time. */
  opened(): void;
  /** The server has what the person sent; a new conversation has its id now. */
  accepted(id: string): void;
  /** Title, character, model or documents have changed, or the new conversation has got its id. */
  conversationChanged(): void;
  /** The conversation is gone: deleted here or elsewhere, or never there for this person. */
  vanished(): void;
  /** Something in the person's conversations has changed, this one or another. */
  listChanged(frame: ConversationFrame): void;
  documentChanged(document: DocumentState): void;
  /** A greeting with the person's name in it. */
  fillIn(words: string): string;
  connected(isConnected: boolean): void;
  signedOut(): void;
  refused(message: string): void;
}

/** A chat that nothing has been said in yet. */
export const NEW: Readonly<Conversation> = {
  id: null,
  title: "",
  character: null,
  version: null,
  model: null,
  documents: [],
  persona: null,
  authorNote: "",
  authorNoteDepth: 4,
  turnOrder: "",
  members: [],
  speaker: null,
  greeting: 0,
};

/** The conversation as the server describes it; what was only chosen for the next message is chosen anew. */
export function readConversation(data: ConversationData): Conversation {
  const { id, title, character, version, model, documents, persona, members } = data;
  return {
    ...NEW,
    ...{ id, title, character, version, model, documents, persona, members },
    authorNote: data.author_note,
    authorNoteDepth: data.author_note_depth,
    turnOrder: data.turn_order,
  };
}
