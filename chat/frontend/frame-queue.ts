/** Small pieces of work that may wait for a later frame, in order: as many in each as leave it smooth. */

/** Half of a frame at 60 a second; the browser needs the other half to lay out and paint what was made. */
const BUDGET_MS = 8;

export class FrameQueue {
  #waiting: (() => void)[] = [];
  #frame = 0;

  add(...work: (() => void)[]): void {
    this.#waiting.push(...work);
    this.#frame ||= requestAnimationFrame(this.#run);
  }

  clear(): void {
    this.#waiting = [];
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #run = (): void => {
    const end = performance.now() + BUDGET_MS;
    do this.#waiting.shift()?.();
    while (this.#waiting.length && performance.now() < end);
    this.#frame = this.#waiting.length ? requestAnimationFrame(this.#run) : 0;
  };
}
