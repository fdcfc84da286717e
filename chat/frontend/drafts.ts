/** Words that are not sent yet, kept for each conversation in this browser until the server has them. */

const PREFIX = "draft:";

function key(conversation: string | null): string {
  return PREFIX + (conversation ?? "new");
}

export function readDraft(conversation: string | null): string {
  try {
    return localStorage.getItem(key(conversation)) ?? "";
  } catch {
    // Storage may be forbidden; drafts then last as long as the page.
    return "";
  }
}

export function keepDraft(conversation: string | null, text: string): void {
  try {
    if (text.trim()) localStorage.setItem(key(conversation), text);
    else localStorage.removeItem(key(conversation));
  } catch {
    // Forbidden or full: nothing that can be done about it would help the person who types.
  }
}
