/** <reply-state>: what a reply waits for, or why it broke, in one sentence; with what can be done about it. */

import { icon } from "../../../config/frontend/icon.ts";
import { formatNumber, gettext } from "../../../config/frontend/words.ts";
import { make, tell } from "../dom.ts";
import type { Progress, Reply } from "../message-node.ts";

const percent = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent" });

export class ReplyState extends HTMLElement {
  #shown = "";

  /** `hasText`: what came so far can be continued. `reading`: the share of the documents that is read, 0 to 1. */
  show(reply: Reply | null, hasText: boolean, reading: number | null): void {
    const words = reply ? describe(reply, reading) : "";
    const key = `${reply?.status}|${words}|${reply?.progress?.step}|${hasText}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.replaceChildren();
    this.hidden = !words && reply?.status !== "stopped";
    if (reply?.status === "failed") this.#showFailure(words, hasText);
    else if (reply?.status === "stopped") this.#showStopped(hasText);
    else if (words) {
      this.append(make("p", { class: "waiting" }, words));
      if (reply?.progress) this.append(bar(reply.progress, words));
    }
  }

  #showFailure(words: string, hasText: boolean): void {
    const again = button(gettext("Try again"), icon("rotate-cw"), () => tell(this, "message-retry", null));
    const on = hasText ? button(gettext("Continue"), icon("arrow-right"), () => tell(this, "message-continue", null)) : null;
    const verbs = make("div", { class: "row" }, again, on);
    this.append(make("div", { class: "notice", role: "alert" }, icon("circle-alert"), make("div", {}, make("p", {}, words), verbs)));
  }

  #showStopped(hasText: boolean): void {
    const verb = hasText ? gettext("Continue") : gettext("Try again");
    const event = hasText ? "message-continue" : "message-retry";
    this.append(
      make("div", { class: "stopped" }, make("span", {}, gettext("Stopped.")), button(verb, icon("arrow-right"), () => tell(this, event, null))),
    );
  }
}

function button(words: string, image: SVGSVGElement, run: () => void): HTMLButtonElement {
  return make("button", { type: "button", class: "button small", onclick: run }, image, words);
}

/** Done so far: the step that is being taken is none yet. */
function bar({ stage, step, steps }: Progress, words: string): HTMLElement {
  // One step, or the last one, tells nothing of how long it takes: the bar breathes.
  const value = steps > 1 && stage !== "writing" ? (step - 1) / steps : null;
  return make("progress", { class: "progress reply-progress", max: 1, value, "aria-label": words });
}

function describeProgress({ stage, step, steps }: Progress): string {
  if (stage === "writing") return gettext("Writing from the notes");
  if (stage === "merging") return gettext("Putting the notes together");
  if (steps === 1) return gettext("Reading from the first page to the last");
  return gettext("Reading part %(step)s of %(steps)s", { step: formatNumber(step), steps: formatNumber(steps) });
}

function describe(reply: Reply, reading: number | null): string {
  if (reply.status === "failed") return reply.error?.message ?? gettext("The reply broke off.");
  if (reply.status === "running" && reply.progress) return describeProgress(reply.progress);
  if (reply.status !== "queued") return "";
  if (reply.waitingFor === "documents") {
    if (reading === null || reading <= 0) return gettext("Reading your document");
    return gettext("Reading your document, %(share)s", { share: percent.format(reading) });
  }
  if (reply.queuePosition) return gettext("In the queue, place %(place)s", { place: reply.queuePosition });
  return reply.waitingFor === "slot" ? gettext("Waiting for a free place") : "";
}

customElements.define("reply-state", ReplyState);
