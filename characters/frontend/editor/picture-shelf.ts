/* <picture-shelf data-slug>: a character's expressions and backgrounds; each goes up and comes off by itself. */

import { apiHeaders, callApi, readError } from "../../../config/frontend/api.ts";
import { icon } from "../../../config/frontend/icon.ts";
import { gettext } from "../../../config/frontend/words.ts";
import { showToast } from "../../../config/frontend/toast-list.ts";

interface Picture {
  id: string;
  name: string;
  thumbnail_url: string;
}

class PictureShelf extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("change", this.#add);
    this.addEventListener("click", this.#remove);
  }

  disconnectedCallback(): void {
    this.removeEventListener("change", this.#add);
    this.removeEventListener("click", this.#remove);
  }

  #add = async (event: Event): Promise<void> => {
    const input = event.target as HTMLInputElement;
    const kind = input.dataset.kind;
    if (!kind || !input.files) return;
    event.stopPropagation();
    this.setAttribute("aria-busy", "true");
    for (const file of input.files) await this.#send(kind, file);
    input.value = "";
    this.removeAttribute("aria-busy");
  };

  async #send(kind: string, file: File): Promise<void> {
    const body = new FormData();
    body.set("kind", kind);
    body.set("name", file.name.replace(/\.[^.]*$/, "").slice(0, 120) || kind);
    body.set("file", file);
    try {
      const response = await fetch(`/api/v1/characters/${this.dataset.slug}/pictures`, { method: "POST", headers: apiHeaders(), body });
      if (!response.ok) throw readError(response.status, await response.text());
      this.#show((await response.json()) as Picture);
    } catch (error) {
      showToast({ text: `${file.name}: ${(error as Error).message}`, kind: "error" });
    }
  }

  #show({ id, name, thumbnail_url: url }: Picture): void {
    const image = new Image(96, 96);
    image.src = url;
    image.alt = "";
    const words = document.createElement("span");
    words.className = "truncate";
    words.textContent = name;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "icon-button small";
    button.dataset.remove = "";
    button.setAttribute("aria-label", gettext("Remove %(name)s", { name }));
    button.append(icon("x"));
    const place = document.createElement("li");
    place.className = "shelf-picture";
    place.dataset.id = id;
    place.append(image, words, button);
    const old = this.querySelector(`[data-id="${id}"]`);
    if (old) old.replaceWith(place);
    else this.querySelector(".shelf-pictures")?.append(place);
  }

  #remove = async (event: Event): Promise<void> => {
    const button = (event.target as Element).closest<HTMLElement>("[data-remove]");
    const place = button?.closest<HTMLElement>(".shelf-picture");
    if (!place) return;
    try {
      await callApi("DELETE", `/pictures/${place.dataset.id}`);
      place.remove();
    } catch (error) {
      showToast({ text: (error as Error).message, kind: "error" });
    }
  };
}

customElements.define("picture-shelf", PictureShelf);
