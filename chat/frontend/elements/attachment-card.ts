/** <attachment-card>: a file on its way into a message: uploading, being read, ready, or refused with a reason.
 *
 *  Tells `attachment-remove`. It keeps the document's state, which the composer asks for when it sends.
 */

import { icon } from "../../../config/frontend/icon.ts";
import { formatBytes, gettext } from "../../../config/frontend/words.ts";
import { uploadDocument } from "../../../documents/frontend/upload.ts";
import { iconButton, make, tell } from "../dom.ts";
import type { DocumentState } from "../protocol.ts";

const percent = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent" });

export class AttachmentCard extends HTMLElement {
  #name = make("span", { class: "attachment-name truncate" });
  #state = make("span", { class: "attachment-state truncate" });
  #progress = make("progress", { class: "progress", max: 1, "aria-label": gettext("Progress") });
  #upload = new AbortController();
  #document: DocumentState | null = null;

  /** The stored document; null until the upload is through. */
  get document(): DocumentState | null {
    return this.#document;
  }

  connectedCallback(): void {
    if (this.hasChildNodes()) return;
    const remove = iconButton(gettext("Remove"), icon("x"), () => {
      this.#upload.abort();
      tell(this, "attachment-remove", null);
    });
    this.append(icon("file-text"), make("div", { class: "attachment-text" }, this.#name, this.#state, this.#progress), remove);
  }

  disconnectedCallback(): void {
    this.#upload.abort();
  }

  /** Send a file to the server and follow what becomes of it. */
  async upload(file: File): Promise<void> {
    this.#name.textContent = file.name;
    this.#name.title = file.name;
    this.#state.textContent = formatBytes(file.size);
    try {
      const { id, status } = await uploadDocument(file, {
        collection: "",
        isForChat: true,
        maxBytes: 0,
        onProgress: (share) => this.#showProgress(share),
        signal: this.#upload.signal,
      });
      this.show({ id, name: file.name, status: status as DocumentState["status"], progress: 0 });
      tell(this, "attachment-ready", null);
    } catch (error) {
      if (!this.#upload.signal.aborted) this.#refuse((error as Error).message);
    }
  }

  /** Show what the server says of the document. */
  show(state: DocumentState): void {
    this.#document = { ...this.#document, ...state, name: state.name || this.#document?.name || "" };
    this.#name.textContent = this.#document.name;
    this.#name.title = this.#document.name;
    if (state.status === "failed") this.#refuse(state.error ?? gettext("This file cannot be read."));
    else if (state.status === "ready") {
      this.#progress.hidden = true;
      this.#state.textContent = gettext("Ready");
    } else {
      this.#state.textContent = describeReading(state.progress);
      this.#showProgress(state.progress);
    }
  }

  #showProgress(share: number): void {
    // Nothing to tell yet: the bar breathes.
    if (share > 0) this.#progress.value = share;
    else this.#progress.removeAttribute("value");
  }

  #refuse(reason: string): void {
    this.#document = null;
    this.classList.add("failed");
    this.#progress.hidden = true;
    this.#state.textContent = reason;
    this.#state.title = reason;
    this.setAttribute("role", "alert");
  }
}

function describeReading(share: number): string {
  return share > 0 ? gettext("Being read, %(share)s", { share: percent.format(share) }) : gettext("Being read");
}

customElements.define("attachment-card", AttachmentCard);
