/* <relative-time datetime="2026-11-21T09:05:00Z">: how long ago, kept current, the exact time on hover.

   The server's text inside is what shows without scripts. */

const language = document.documentElement.lang || "en";
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "long" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** “5 minutes ago”, “yesterday”; from a month on the date itself. */
export function describeTime(then: Date, now: Date = new Date()): string {
  const seconds = (then.getTime() - now.getTime()) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 45) return relative.format(0, "second");
  if (distance < HOUR) return relative.format(Math.round(seconds / MINUTE), "minute");
  if (distance < DAY) return relative.format(Math.round(seconds / HOUR), "hour");
  if (distance < 30 * DAY) return relative.format(Math.round(seconds / DAY), "day");
  return day.format(then);
}

class RelativeTime extends HTMLElement {
  static observedAttributes = ["datetime"];
  #timer: ReturnType<typeof setInterval> | undefined;

  connectedCallback(): void {
    this.#show();
    this.#timer = setInterval(() => this.#show(), MINUTE * 1000);
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#show();
  }

  #show(): void {
    const then = new Date(this.getAttribute("datetime") ?? "");
    if (Number.isNaN(then.getTime())) return;
    const text = describeTime(then);
    if (this.textContent !== text) this.textContent = text;
    this.title = exact.format(then);
  }
}

customElements.define("relative-time", RelativeTime);
