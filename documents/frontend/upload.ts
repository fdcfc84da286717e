/* Sends files to the API with their progress. XMLHttpRequest, because fetch tells nothing of a body on its way. */

import { ApiError, apiHeaders, offlineError, readError } from "../../config/frontend/api.ts";
import { formatBytes, gettext } from "../../config/frontend/words.ts";

export interface Accepted {
  id: string;
  status: string;
}

export interface UploadOptions {
  collection: string;
  maxBytes: number;
  /** Called with 0..1 while the bytes travel. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

// Browsers open six connections to a server; three leave room for the page itself.
const AT_ONCE = 3;
let running = 0;
const waiting: (() => void)[] = [];

/** Upload one file, after those before it; throws ApiError with a sentence for its row. */
export async function uploadDocument(file: File, options: UploadOptions): Promise<Accepted> {
  if (options.maxBytes && file.size > options.maxBytes) {
    const limit = formatBytes(options.maxBytes);
    throw new ApiError(413, "file_too_large", gettext("This file is larger than %(limit)s, the most this server accepts. Split it and upload the parts.", { limit }));
  }
  if (running >= AT_ONCE) await new Promise<void>((start) => waiting.push(start));
  running += 1;
  try {
    return await send(file, options);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

function send(file: File, { collection, onProgress, signal }: UploadOptions): Promise<Accepted> {
  const form = new FormData();
  form.append("file", file, file.name);
  if (collection) form.append("collection", collection);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/documents");
    for (const [name, value] of Object.entries(apiHeaders())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as Accepted);
      else reject(readError(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(offlineError()));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
