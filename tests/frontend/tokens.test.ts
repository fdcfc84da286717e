import assert from "node:assert/strict";
import { test } from "node:test";

import { estimateTokens } from "../../characters/frontend/editor/tokens.ts";

// As inference/tokens.py counts: by bytes, of which other scripts have more than letters.
for (const [text, tokens] of [["", 0], ["abcdef", 2], ["Паром", 4], ["渡し舟", 3]] as const) {
  test(`“${text}” is about ${tokens} tokens`, () => assert.equal(estimateTokens(text), tokens));
}
