/* <submit-on-choose> around a form: sends it as soon as files are chosen. */

class SubmitOnChoose extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("change", this.#send);
  }

  disconnectedCallback(): void {
    this.removeEventListener("change", this.#send);
  }

  #send = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (input.files?.length) input.form?.requestSubmit();
  };
}

customElements.define("submit-on-choose", SubmitOnChoose);
