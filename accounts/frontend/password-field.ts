/* <password-field> around an input and a button: the button shows and hides what is typed. */

class PasswordField extends HTMLElement {
  #button: HTMLButtonElement | null = null;

  connectedCallback(): void {
    this.#button = this.querySelector("button");
    if (!this.#button) return;
    this.#button.hidden = false;
    this.#button.addEventListener("click", this.#toggle);
    // Sent hidden, so that browsers recognise the password and offer to keep it.
    this.closest("form")?.addEventListener("submit", this.#hide);
  }

  disconnectedCallback(): void {
    this.#button?.removeEventListener("click", this.#toggle);
    this.closest("form")?.removeEventListener("submit", this.#hide);
  }

  #toggle = (): void => this.#show(this.querySelector("input")?.type === "password");

  #hide = (): void => this.#show(false);

  #show(isShown: boolean): void {
    const input = this.querySelector("input");
    if (!input) return;
    input.type = isShown ? "text" : "password";
    this.#button?.setAttribute("aria-pressed", String(isShown));
  }
}

customElements.define("password-field", PasswordField);
