/** <model-offer>: fetches a small open model for this machine and shows how far it is, until it answers.
 *
 *  The page is loaded anew once a model is connected: the choice of models is part of it.
 */

import { ApiError, callApi } from "../../../config/frontend/api.ts";
import { formatBytes, gettext } from "../../../config/frontend/words.ts";

const LOOK_SECONDS = 1;

interface ModelFile {
  id: string;
  name: string;
  status: "fetching" | "ready" | "failed";
  received_bytes: number;
  size_bytes: number;
  error: string;
}

interface Offer {
  is_connected: boolean;
  file: ModelFile | null;
}

class ModelOffer extends HTMLElement {
  #timer = 0;
  #file: ModelFile | null = null;
  #ending: AbortController | null = null;

  connectedCallback(): void {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-offer]")) {
      const choose = () => void this.#try(() => callApi("POST", "/model-offer", { id: button.dataset["offer"] }, signal));
      button.addEventListener("click", choose, { signal });
    }
    const stop = () => void this.#try(() => callApi("DELETE", `/model-offer/${this.#file?.id ?? ""}`, undefined, signal));
    this.#part("[data-stop]").addEventListener("click", stop, { signal });
    void this.#look();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
    this.#ending?.abort();
  }

  async #try(call: () => Promise<unknown>): Promise<void> {
    this.#say("");
    try {
      await call();
      await this.#look();
    } catch (error) {
      if (error instanceof ApiError) this.#say(error.message);
    }
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.#show(await callApi<Offer>("GET", "/model-offer", undefined, this.#ending?.signal));
    } catch (error) {
      if (!(error instanceof ApiError)) return;
      // The house is away for a moment: what is shown stays, and the next look asks again.
    }
    const isWaiting = this.#file !== null && this.#file.status !== "failed";
    if (isWaiting && this.isConnected) this.#timer = window.setTimeout(() => void this.#look(), LOOK_SECONDS * 1000);
  }

  #show({ is_connected: isConnected, file }: Offer): void {
    if (isConnected) {
      location.reload();
      return;
    }
    this.#file = file;
    const isWaiting = file !== null && file.status !== "failed";
    this.#part("[data-offers]").hidden = isWaiting;
    this.#part("[data-progress]").hidden = !isWaiting;
    this.#part("[data-stop]").hidden = file?.status !== "fetching";
    if (file?.status === "failed") this.#say(file.error);
    const bar = this.#part("progress") as HTMLProgressElement;
    if (file?.status === "fetching" && file.size_bytes) bar.value = file.received_bytes / file.size_bytes;
    else bar.removeAttribute("value");
    this.#part("[data-words]").textContent = file ? words(file) : "";
  }

  #say(text: string): void {
    const line = this.#part("[data-error]");
    line.textContent = text;
    line.hidden = !text;
  }

  #part(selector: string): HTMLElement {
    return this.querySelector(selector) as HTMLElement;
  }
}

function words(file: ModelFile): string {
  const { name, status, received_bytes: received, size_bytes: size } = file;
  if (status === "ready") return gettext("%(name)s is here and is being loaded.", { name });
  if (!size) return gettext("Asking the hub for %(name)s.", { name });
  return gettext("%(received)s of %(size)s of %(name)s", { received: formatBytes(received), size: formatBytes(size), name });
}

customElements.define("model-offer", ModelOffer);
