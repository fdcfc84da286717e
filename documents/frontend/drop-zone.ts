/* <drop-zone data-words="…">: while files are dragged over the window, says where they would go; on drop, and for
   its file inputs with data-upload, fires `files` with the files (those inside dropped folders too). Pasting works;
   with data-pasted, the name to give it, text that is pasted is a file too. */

import "./drop-zone.css";

export type FilesEvent = CustomEvent<File[]>;

class DropZone extends HTMLElement {
  #listeners = new AbortController();
  #veil: HTMLElement | null = null;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    addEventListener("dragenter", this.#over, { signal });
    addEventListener("dragover", this.#over, { signal });
    addEventListener("dragleave", this.#leave, { signal });
    addEventListener("drop", this.#drop, { signal });
    addEventListener("paste", this.#paste, { signal });
    this.addEventListener("change", this.#choose, { signal });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#hide();
  }

  #over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    if (this.#veil) return;
    this.#veil = document.createElement("div");
    this.#veil.className = "drop-veil";
    const words = document.createElement("p");
    words.textContent = this.dataset.words ?? "";
    this.#veil.append(words);
    document.body.append(this.#veil);
  };

  #leave = (event: DragEvent): void => {
    if (!event.relatedTarget) this.#hide();
  };

  #drop = async (event: DragEvent): Promise<void> => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.#hide();
    this.#emit(await readDropped(event.dataTransfer));
  };

  #paste = (event: ClipboardEvent): void => {
    // Office programs put a picture of the text beside the text.
    if (event.clipboardData?.types.includes("text/plain")) return this.#pasteText(event);
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) event.preventDefault();
    this.#emit(files);
  };

  /** Text becomes a file of its own where the zone asks for it, unless it is pasted into a field. */
  #pasteText(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const isForField = (event.target as Element).closest?.("input, textarea, dialog, [contenteditable]");
    if (!this.dataset.pasted || isForField || !text.trim()) return;
    event.preventDefault();
    const time = new Date().toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }).replace(":", ".");
    this.#emit([new File([text], `${this.dataset.pasted} ${time}.txt`, { type: "text/plain" })]);
  }

  #choose = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    if (!input.matches("input[type=file][data-upload]")) return;
    this.#emit([...(input.files ?? [])]);
    input.value = "";
  };

  #hide(): void {
    this.#veil?.remove();
    this.#veil = null;
  }

  #emit(files: File[]): void {
    if (files.length) this.dispatchEvent(new CustomEvent("files", { detail: files }));
  }
}

/** The dropped files, folders opened; names that begin with a dot are the system's, not the person's. */
async function readDropped(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found: File[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found.filter((file) => !file.name.startsWith("."));
}

async function walk(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (entry.isFile) {
    found.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives at most a hundred entries a call and an empty list at the end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const child of batch) await walk(child, found);
  }
}

customElements.define("drop-zone", DropZone);
