/** <math-formula>: TeX, shown as a formula once KaTeX has loaded, as its source where it cannot be read. */

import { isPlain, make } from "../dom.ts";

export class MathFormula extends HTMLElement {
  #tex = "";
  #isBlock = false;
  #isDrawn = false;

  get tex(): string {
    return this.#tex;
  }

  set tex(tex: string) {
    this.#tex = tex;
    this.#isDrawn = false;
    if (this.isConnected) void this.#draw();
  }

  get isBlock(): boolean {
    return this.#isBlock;
  }

  set isBlock(isBlock: boolean) {
    this.#isBlock = isBlock;
    this.classList.toggle("block", isBlock);
  }

  connectedCallback(): void {
    if (!this.#isDrawn) void this.#draw();
  }

  /** Draw it now, if it has waited for coming near the screen. */
  decorate(): void {
    if (!this.#isDrawn) void this.#draw();
  }

  async #draw(): Promise<void> {
    if (isPlain(this)) {
      this.replaceChildren(this.#tex);
      return;
    }
    this.#isDrawn = true;
    // Until KaTeX has loaded; where it has, nobody sees this.
    if (!this.hasChildNodes()) this.append(this.#tex);
    // Without a connection the formula shows as its source.
    const { renderFormula } = await import("../math.ts").catch(() => ({ renderFormula: () => null }));
    const tex = this.#tex;
    this.replaceChildren(renderFormula(tex, this.#isBlock) ?? make("code", {}, tex));
  }
}

customElements.define("math-formula", MathFormula);
