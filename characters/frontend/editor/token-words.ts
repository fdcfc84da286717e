/* A number of tokens in words. */

import { formatNumber, gettext } from "../../../config/frontend/words.ts";

export function describeTokens(count: number): string {
  return gettext("about %(count)s tokens", { count: formatNumber(count) });
}
