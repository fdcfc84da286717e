/* Calls to /api/v1/ from a signed-in page: JSON both ways, the CSRF token, and errors as sentences. */

import { readCookie } from "./cookie.ts";
import { gettext } from "./words.ts";

/** What the API answered instead: `code` for programs, `message` for people; status 0 when nothing answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

// What outlives its page may carry 64 KiB in all, so one call takes a small part of it.
const LARGEST_OUTLIVING = 8192;

/** The JSON that `method path` answers, undefined for 204; throws ApiError, or AbortError with a signal.

    What a person changed with one click still arrives when the next click leaves the page. */
export async function callApi<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const request: RequestInit = { method, headers: apiHeaders() };
  if (signal) request.signal = signal;
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...apiHeaders(), "Content-Type": "application/json" };
  }
  request.keepalive = method !== "GET" && String(request.body ?? "").length <= LARGEST_OUTLIVING;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw offlineError();
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (!response.ok) throw readError(response.status, text);
  return JSON.parse(text) as T;
}

/** What every call carries besides its body. */
export function apiHeaders(): Record<string, string> {
  return { Accept: "application/json", "X-CSRFToken": readCookie("csrftoken") ?? "" };
}

/** The error that an answer's status and text stand for. */
export function readError(status: number, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string; message?: string } };
    if (error?.message) return new ApiError(status, error.code ?? "error", error.message);
  } catch {
    // Not ours: a proxy's page, or nothing at all. The status says what can be said.
  }
  if (status === 401 || status === 403) {
    return new ApiError(status, "signed_out", gettext("You are signed out. Reload the page and sign in."));
  }
  if (status === 413) {
    return new ApiError(status, "file_too_large", gettext("This is larger than this server accepts."));
  }
  return new ApiError(status, "server_error", gettext("The server could not do that. Try again in a moment."));
}

/** Nothing answered. */
export function offlineError(): ApiError {
  return new ApiError(0, "offline", gettext("The server cannot be reached. Check your connection and try again."));
}
