/* About how many tokens a text is, rather too many than too few; the same figure as the prompt's own (chat/prompt.py). */

import { formatNumber, gettext } from "../../../config/frontend/words.ts";

const CHARACTERS_A_TOKEN = 3.2;

export function estimateTokens(text: string): number {
  return text.trim() ? Math.floor(text.length / CHARACTERS_A_TOKEN) + 1 : 0;
}

export function describeTokens(count: number): string {
  return gettext("about %(count)s tokens", { count: formatNumber(count) });
}
