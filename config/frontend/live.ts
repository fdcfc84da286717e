/* The person's live events (documents on their way, conversations that change) for pages other than the chat,
   which has a socket with cursors of its own. Same socket, same frames; nothing is sent but pings.

   What happened while the socket was down is not replayed here: `onOpen` is the moment to ask the API again. */

export interface DocumentEvent {
  type: "document";
  document: string;
  status: string;
  progress: number;
  eta_seconds?: number | null;
  name?: string;
  error?: string | null;
  pages?: number;
  pages_done?: number;
}

export interface LiveListeners {
  onDocument?: (event: DocumentEvent) => void;
  /** Called at every opening: events may have been missed before it. */
  onOpen?: () => void;
  onClose?: () => void;
}

// Proxies cut silent sockets after 60 s, some after 30.
const PING_MS = 25_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000];

/** Keep a socket open until `signal` aborts; reopens by itself, at once when the network is back. */
export function openLive(listeners: LiveListeners, signal: AbortSignal): void {
  let socket: WebSocket | null = null;
  let attempt = 0;
  let retry = 0;
  let ping = 0;

  const connect = (): void => {
    clearTimeout(retry);
    if (signal.aborted || (socket && socket.readyState <= WebSocket.OPEN)) return;
    const opened = new WebSocket(new URL("/ws/chat/", location.href.replace(/^http/, "ws")));
    socket = opened;
    opened.addEventListener("open", () => {
      attempt = 0;
      ping = window.setInterval(() => opened.send('{"type":"ping"}'), PING_MS);
      listeners.onOpen?.();
    });
    opened.addEventListener("message", (message) => {
      const event = JSON.parse(String(message.data)) as { type?: string };
      if (event.type === "document") listeners.onDocument?.(event as DocumentEvent);
    });
    opened.addEventListener("close", () => {
      clearInterval(ping);
      if (signal.aborted) return;
      listeners.onClose?.();
      const wait = RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)] ?? 0;
      // Spread, so that a restarted server is not met by everybody in the same moment.
      retry = window.setTimeout(connect, wait * (0.75 + Math.random() / 2));
    });
  };

  signal.addEventListener("abort", () => {
    clearTimeout(retry);
    socket?.close();
  });
  addEventListener("online", connect, { signal });
  document.addEventListener("visibilitychange", () => !document.hidden && connect(), { signal });
  connect();
}
