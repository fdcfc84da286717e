/* Sends files to the API with their progress. XMLHttpRequest, because fetch tells nothing of a body on its way. */

import { ApiError, apiHeaders, callApi, offlineError, readError } from "../../config/frontend/api.ts";
import { formatBytes, gettext } from "../../config/frontend/words.ts";

export interface Accepted {
  id: string;
  status: string;
}

export interface UploadOptions {
  collection: string;
  /** The file belongs to the conversation that it will be sent to, not to the library. */
  isForChat?: boolean;
  maxBytes: number;
  /** Called with 0..1 while the bytes travel. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

// Browsers open six connections to a server; three leave room for the page itself.
const AT_ONCE = 3;
// A larger file goes in parts: a break then costs a part, and the server holds no more than one.
const WHOLE_BYTES = 8 * 1024 * 1024;
// A server that restarts is back within the minute.
const WAITS_MS = [1_000, 2_000, 5_000, 10_000, 20_000];
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

function send(file: File, options: UploadOptions): Promise<Accepted> {
  return file.size > WHOLE_BYTES ? sendInParts(file, options) : sendWhole(file, options);
}

async function sendWhole(file: File, { collection, isForChat, onProgress, signal }: UploadOptions): Promise<Accepted> {
  const form = new FormData();
  form.append("file", file, file.name);
  if (collection) form.append("collection", collection);
  if (isForChat) form.append("chat", "true");
  return JSON.parse(await request("POST", "/documents", form, {}, onProgress, signal)) as Accepted;
}

interface Upload {
  id: string;
  offset: number;
  part_bytes: number;
}

/** Part after part; after a break on from where the server is. */
async function sendInParts(file: File, { collection, isForChat, onProgress, signal }: UploadOptions): Promise<Accepted> {
  const begin = { name: file.name, size_bytes: file.size, collection: collection || null, chat: isForChat ?? false };
  const upload = await callApi<Upload>("POST", "/uploads", begin, signal);
  try {
    let { offset } = upload;
    let failures = 0;
    while (offset < file.size) {
      const part = file.slice(offset, offset + upload.part_bytes);
      const start = offset;
      try {
        await request("PUT", `/uploads/${upload.id}`, part, { "Upload-Offset": String(start) }, (share) => onProgress((start + share * part.size) / file.size), signal);
        offset += part.size;
        failures = 0;
      } catch (error) {
        const isWorthAnother = error instanceof ApiError && (error.status === 0 || error.status === 409 || error.status >= 500);
        if (!isWorthAnother || signal.aborted || failures >= WAITS_MS.length) throw error;
        await pause(WAITS_MS[failures++] ?? 0, signal);
        offset = (await callApi<Upload>("GET", `/uploads/${upload.id}`, undefined, signal).catch(() => ({ ...upload, offset }))).offset;
      }
    }
    return await callApi<Accepted>("POST", `/uploads/${upload.id}/complete`, {}, signal);
  } catch (error) {
    void callApi("DELETE", `/uploads/${upload.id}`).catch(() => undefined);
    throw error;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    }, { once: true });
  });
}

function request(method: string, path: string, body: FormData | Blob, headers: Record<string, string>, onProgress: (share: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open(method, `/api/v1${path}`);
    for (const [name, value] of Object.entries({ ...apiHeaders(), ...headers })) call.setRequestHeader(name, value);
    call.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    call.addEventListener("load", () => {
      if (call.status >= 200 && call.status < 300) resolve(call.responseText);
      else reject(readError(call.status, call.responseText));
    });
    call.addEventListener("error", () => reject(offlineError()));
    call.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => call.abort(), { once: true });
    call.send(body);
  });
}
