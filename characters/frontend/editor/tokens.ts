/* About how many tokens a text is, rather too many than too few; the same figure as the prompt's own
   (inference/tokens.py), by the bytes of UTF-8. */

const BYTES_A_TOKEN = 3.2;
const encoder = new TextEncoder();

export function estimateTokens(text: string): number {
  return text.trim() ? Math.floor(encoder.encode(text).length / BYTES_A_TOKEN) + 1 : 0;
}
