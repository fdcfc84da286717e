/* <text-list data-most>: several fields of one name, in an order one can change. The template is an empty row. */

class TextList extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", this.#onClick);
    this.#refresh();
  }

  disconnectedCallback(): void {
    this.removeEventListener("click", this.#onClick);
  }

  get #rows(): HTMLElement {
    return this.querySelector(".texts-rows") as HTMLElement;
  }

  #onClick = (event: Event): void => {
    const button = (event.target as Element).closest("button");
    if (!button) return;
    const row = button.closest<HTMLElement>(".texts-row");
    if ("add" in button.dataset) this.#add();
    else if (row && "remove" in button.dataset) this.#remove(row);
    else if (row && "up" in button.dataset) row.previousElementSibling?.before(row);
    else if (row && "down" in button.dataset) row.nextElementSibling?.after(row);
    else return;
    if (row?.isConnected) button.focus();
    this.#refresh();
    this.dispatchEvent(new Event("input", { bubbles: true }));
  };

  #add(): void {
    const row = this.querySelector("template")?.content.cloneNode(true);
    if (row) this.#rows.append(row);
    this.#rows.lastElementChild?.querySelector<HTMLElement>("textarea, input")?.focus();
  }

  #remove(row: HTMLElement): void {
    const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector<HTMLElement>("textarea, input");
    row.remove();
    (next ?? this.querySelector<HTMLElement>("[data-add]"))?.focus();
  }

  #refresh(): void {
    const rows = [...this.#rows.children];
    for (const [place, row] of rows.entries()) {
      row.querySelector("[data-up]")?.toggleAttribute("disabled", place === 0);
      row.querySelector("[data-down]")?.toggleAttribute("disabled", place === rows.length - 1);
    }
    this.querySelector("[data-add]")?.toggleAttribute("disabled", rows.length >= Number(this.dataset.most));
  }
}

customElements.define("text-list", TextList);
