/* <usage-chart>: the pointer, and the arrow keys once it has the focus, read one point in time of the chart within.

   The words come from the table beneath, so that the drawing and the readout cannot differ. */

class UsageChart extends HTMLElement {
  #at = -1;
  #ending: AbortController | null = null;

  connectedCallback(): void {
    const drawing = this.querySelector("svg");
    if (!drawing || this.#columns.length === 0) return;
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    drawing.setAttribute("tabindex", "0");
    drawing.addEventListener("pointermove", (event) => this.#show(this.#columnAt(event.clientX)), { signal });
    drawing.addEventListener("pointerleave", () => this.#show(-1), { signal });
    drawing.addEventListener("blur", () => this.#show(-1), { signal });
    drawing.addEventListener("keydown", (event) => this.#move(event), { signal });
  }

  disconnectedCallback(): void {
    this.#ending?.abort();
  }

  get #columns(): SVGRectElement[] {
    return [...this.querySelectorAll<SVGRectElement>(".chart-column")];
  }

  #columnAt(x: number): number {
    return this.#columns.findIndex((column) => {
      const box = column.getBoundingClientRect();
      return x >= box.left && x < box.right;
    });
  }

  #move(event: KeyboardEvent): void {
    const last = this.#columns.length - 1;
    const next = {
      ArrowRight: this.#at < 0 ? 0 : Math.min(last, this.#at + 1),
      ArrowLeft: this.#at < 0 ? last : Math.max(0, this.#at - 1),
      Home: 0,
      End: last,
      Escape: -1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#show(next);
  }

  #show(at: number): void {
    if (at === this.#at) return;
    this.#columns.forEach((column, index) => column.classList.toggle("current", index === at));
    this.#at = at;
    const readout = this.querySelector(".chart-readout");
    if (readout) readout.textContent = at < 0 ? "" : this.#words(at);
  }

  #words(at: number): string {
    const heads = [...this.querySelectorAll("thead th")].slice(1).map((head) => head.textContent ?? "");
    const [name, ...cells] = [...(this.querySelectorAll("tbody tr")[at]?.children ?? [])].map((cell) => cell.textContent ?? "");
    return `${name ?? ""}: ${cells.map((cell, index) => `${cell} ${heads[index] ?? ""}`).join(", ")}`;
  }
}

customElements.define("usage-chart", UsageChart);
