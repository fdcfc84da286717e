/* <share-dialog>: who may use a collection besides its owner. Wraps the dialog that the template renders, with its
   form and a template for a line of the list; reads and changes the grants through the API. */

import "./share-dialog.css";

import { ApiError, callApi } from "../../config/frontend/api.ts";
import { showToast } from "../../config/frontend/toast-list.ts";
import { gettext } from "../../config/frontend/words.ts";

interface Grant {
  id: number;
  name: string;
  email: string | null;
  group: number | null;
  level: string;
}

interface Sharing {
  grants: Grant[];
  groups: { id: number; name: string }[];
}

class ShareDialog extends HTMLElement {
  #life = new AbortController();

  connectedCallback(): void {
    this.#life = new AbortController();
    const { signal } = this.#life;
    document.addEventListener("click", ({ target }) => (target as Element).closest("[data-share]") && void this.#open(), { signal });
    this.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#add();
    }, { signal });
    this.addEventListener("change", (event) => {
      const select = (event.target as Element).closest<HTMLSelectElement>("li select");
      if (select) void this.#change(select);
    }, { signal });
    this.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLElement>("li button");
      if (button) void this.#remove(button.closest("li") as HTMLLIElement);
    }, { signal });
  }

  disconnectedCallback(): void {
    this.#life.abort();
  }

  get #path(): string {
    return `/collections/${this.getAttribute("collection")}/grants`;
  }

  async #open(): Promise<void> {
    try {
      this.#show(await callApi<Sharing>("GET", this.#path, undefined, this.#life.signal));
      this.querySelector("dialog")?.showModal();
    } catch (error) {
      showToast({ text: words(error), kind: "error" });
    }
  }

  #show({ grants, groups }: Sharing): void {
    this.#list.replaceChildren(...grants.map((grant) => this.#line(grant)));
    this.#showEmptiness();
    const names = this.querySelector("datalist");
    names?.replaceChildren(...groups.map(({ id, name }) => {
      const option = document.createElement("option");
      option.value = name;
      option.dataset.group = String(id);
      return option;
    }));
    this.#say("");
  }

  get #list(): HTMLUListElement {
    return this.querySelector("ul") as HTMLUListElement;
  }

  #line(grant: Grant): HTMLLIElement {
    const template = this.querySelector("template");
    const line = template?.content.querySelector("li")?.cloneNode(true) as HTMLLIElement;
    line.dataset.grant = String(grant.id);
    line.dataset.email = grant.email ?? "";
    line.dataset.group = grant.group === null ? "" : String(grant.group);
    const name = line.querySelector("[data-part=name]");
    const detail = line.querySelector("[data-part=detail]");
    if (name) name.textContent = grant.name;
    if (detail) detail.textContent = grant.email ?? gettext("Group");
    const select = line.querySelector("select") as HTMLSelectElement;
    select.value = grant.level;
    select.setAttribute("aria-label", gettext("What %(name)s may do", { name: grant.name }));
    line.querySelector("button")?.setAttribute("aria-label", gettext("Stop sharing with %(name)s", { name: grant.name }));
    return line;
  }

  async #add(): Promise<void> {
    const form = this.querySelector("form") as HTMLFormElement;
    const data = new FormData(form);
    const whom = String(data.get("whom") ?? "").trim();
    if (!whom) return;
    const options = [...this.querySelectorAll<HTMLOptionElement>("datalist option")];
    const group = options.find((option) => option.value.toLowerCase() === whom.toLowerCase())?.dataset.group;
    const target = group ? { group: Number(group) } : { email: whom };
    try {
      const grant = await callApi<Grant>("PUT", this.#path, { ...target, level: String(data.get("level")) });
      this.#list.querySelector(`[data-grant="${grant.id}"]`)?.remove();
      this.#list.append(this.#line(grant));
      form.querySelector<HTMLInputElement>("input[name=whom]")!.value = "";
      this.#say("");
    } catch (error) {
      this.#say(words(error));
    }
    this.#showEmptiness();
  }

  async #change(select: HTMLSelectElement): Promise<void> {
    const { email, group } = (select.closest("li") as HTMLLIElement).dataset;
    const target = group ? { group: Number(group) } : { email };
    try {
      await callApi("PUT", this.#path, { ...target, level: select.value });
      this.#say("");
    } catch (error) {
      this.#say(words(error));
    }
  }

  async #remove(line: HTMLLIElement): Promise<void> {
    try {
      await callApi("DELETE", `${this.#path}/${line.dataset.grant}`);
      line.remove();
      this.querySelector<HTMLInputElement>("input[name=whom]")?.focus();
      this.#say("");
    } catch (error) {
      this.#say(words(error));
    }
    this.#showEmptiness();
  }

  #showEmptiness(): void {
    const empty = this.querySelector<HTMLElement>("[data-part=nobody]");
    if (empty) empty.hidden = this.#list.childElementCount > 0;
  }

  #say(problem: string): void {
    const line = this.querySelector<HTMLElement>("[data-part=problem]");
    if (!line) return;
    line.hidden = !problem;
    line.textContent = problem;
  }
}

function words(error: unknown): string {
  return error instanceof ApiError ? error.message : gettext("That did not work. Try again.");
}

customElements.define("share-dialog", ShareDialog);
