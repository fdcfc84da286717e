/* <portrait-crop>: choose a picture, move it in its square, make it larger or smaller. What is sent is the picture
   and three numbers, shares of its width, height and shorter side; the server cuts (characters/pictures.py). */

import { gettext } from "../../../config/frontend/words.ts";
import { showToast } from "../../../config/frontend/toast-list.ts";

// The same limit as the server's, said before anything is sent.
const MAX_BYTES = 8 * 1024 * 1024;
const STEP = 0.02;
// Closer than this a portrait of a phone's camera has fewer pixels than its square.
const LEAST_SIDE = 0.2;

class PortraitCrop extends HTMLElement {
  #image: HTMLImageElement | null = null;
  #x = 0;
  #y = 0;
  #side = 1;
  #dragged: { id: number; x: number; y: number } | null = null;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.#file.addEventListener("change", () => this.#choose(), { signal });
    this.querySelector("[data-recrop]")?.addEventListener("click", () => void this.#open(this.dataset.whole ?? ""), { signal });
    this.#zoom.addEventListener("input", () => this.#setSide(1 - (Number(this.#zoom.value) / 100) * (1 - LEAST_SIDE)), { signal });
    this.#frame.addEventListener("pointerdown", this.#grab, { signal });
    this.#frame.addEventListener("pointermove", this.#drag, { signal });
    this.#frame.addEventListener("pointerup", () => (this.#dragged = null), { signal });
    this.#frame.addEventListener("pointercancel", () => (this.#dragged = null), { signal });
    this.#frame.addEventListener("keydown", this.#onKey, { signal });
    this.#frame.addEventListener("wheel", this.#onWheel, { signal, passive: false });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  get #file(): HTMLInputElement {
    return this.querySelector("input[type=file]") as HTMLInputElement;
  }

  get #frame(): HTMLElement {
    return this.querySelector("[data-frame]") as HTMLElement;
  }

  get #zoom(): HTMLInputElement {
    return this.querySelector(".crop-zoom") as HTMLInputElement;
  }

  #choose(): void {
    const file = this.#file.files?.[0];
    if (!file) return;
    if (file.size > MAX_BYTES) {
      this.#file.value = "";
      showToast({ text: gettext("That picture is larger than 8 MB. Save a smaller one and choose it again."), kind: "error" });
      return;
    }
    void this.#open(URL.createObjectURL(file));
  }

  async #open(url: string): Promise<void> {
    const image = new Image();
    image.src = url;
    image.alt = "";
    image.draggable = false;
    image.className = "crop-picture";
    try {
      await image.decode();
    } catch {
      this.#file.value = "";
      showToast({ text: gettext("That file is no picture this browser can read. Choose a PNG, JPEG or WebP."), kind: "error" });
      return;
    }
    this.#image = image;
    this.#frame.replaceChildren(image);
    this.#zoom.hidden = false;
    this.#zoom.value = "0";
    const { naturalWidth: width, naturalHeight: height } = image;
    const short = Math.min(width, height);
    this.#side = 1;
    this.#x = (width - short) / 2 / width;
    // Faces are in the upper part of a tall picture.
    this.#y = ((height - short) / 3) / height;
    this.#show();
    this.#frame.focus();
  }

  /** The side of the square in the picture's own pixels. */
  get #sidePx(): number {
    return this.#image ? Math.min(this.#image.naturalWidth, this.#image.naturalHeight) * this.#side : 0;
  }

  #setSide(side: number): void {
    if (!this.#image) return;
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    const before = this.#sidePx;
    this.#side = Math.max(LEAST_SIDE, Math.min(1, side));
    const grown = (before - this.#sidePx) / 2;
    this.#x += grown / width;
    this.#y += grown / height;
    this.#show();
  }

  #move(x: number, y: number): void {
    this.#x += x;
    this.#y += y;
    this.#show();
  }

  #show(): void {
    const image = this.#image;
    if (!image) return;
    const { naturalWidth: width, naturalHeight: height } = image;
    this.#x = Math.max(0, Math.min(this.#x, 1 - this.#sidePx / width));
    this.#y = Math.max(0, Math.min(this.#y, 1 - this.#sidePx / height));
    image.style.width = `${(100 * width) / this.#sidePx}%`;
    image.style.transform = `translate(${-100 * this.#x}%, ${-100 * this.#y}%)`;
    this.#zoom.value = String(Math.round((100 * (1 - this.#side)) / (1 - LEAST_SIDE)));
    for (const [name, value] of Object.entries({ crop_x: this.#x, crop_y: this.#y, crop_side: this.#side })) {
      const field = this.querySelector<HTMLInputElement>(`[name="${name}"]`);
      if (field) field.value = value.toFixed(4);
    }
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #grab = (event: PointerEvent): void => {
    if (!this.#image) return;
    this.#frame.setPointerCapture(event.pointerId);
    this.#dragged = { id: event.pointerId, x: event.clientX, y: event.clientY };
  };

  #drag = (event: PointerEvent): void => {
    const { naturalWidth: width, naturalHeight: height } = this.#image ?? { naturalWidth: 1, naturalHeight: 1 };
    if (this.#dragged?.id !== event.pointerId) return;
    const scale = this.#sidePx / this.#frame.clientWidth;
    this.#move(((this.#dragged.x - event.clientX) * scale) / width, ((this.#dragged.y - event.clientY) * scale) / height);
    this.#dragged = { id: event.pointerId, x: event.clientX, y: event.clientY };
  };

  #onKey = (event: KeyboardEvent): void => {
    if (!this.#image) return;
    if (event.key === "ArrowLeft") this.#move(-STEP, 0);
    else if (event.key === "ArrowRight") this.#move(STEP, 0);
    else if (event.key === "ArrowUp") this.#move(0, -STEP);
    else if (event.key === "ArrowDown") this.#move(0, STEP);
    else if (event.key === "+" || event.key === "=") this.#setSide(this.#side - STEP * 2);
    else if (event.key === "-") this.#setSide(this.#side + STEP * 2);
    else return;
    event.preventDefault();
  };

  #onWheel = (event: WheelEvent): void => {
    if (!this.#image || document.activeElement !== this.#frame) return;
    event.preventDefault();
    this.#setSide(this.#side + Math.sign(event.deltaY) * STEP * 2);
  };
}

customElements.define("portrait-crop", PortraitCrop);
