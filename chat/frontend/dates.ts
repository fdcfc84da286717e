/** Conversations by when they were last used: the headings of the sidebar's list. */

import { gettext } from "../../config/frontend/words.ts";

const DAY_MS = 86_400_000;
const month = new Intl.DateTimeFormat(globalThis.document?.documentElement.lang || "en", { month: "long", year: "numeric" });

/** The heading for a moment: today, yesterday, the week, the month, then each month by name. */
export function describePeriod(then: Date, now: Date = new Date()): string {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const time = then.getTime();
  if (time >= today) return gettext("Today");
  if (time >= today - DAY_MS) return gettext("Yesterday");
  if (time >= today - 7 * DAY_MS) return gettext("Last 7 days");
  if (time >= today - 30 * DAY_MS) return gettext("Last 30 days");
  return month.format(then);
}
