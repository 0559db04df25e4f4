// What comes from outside: sockets, time, chance, and a browser's hints. Tests bring their own.

/** As much of a WebSocket as is used; that of browsers, of Node and of `ws` all fit. */
export interface Socket {
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type SocketClass = new (url: string, protocols: string[]) => Socket;

export interface Seams {
  /** Calls back after a while, unless the function that it returns is called before. */
  after(ms: number, callback: () => void): () => void;
  random(): number;
  now(): number;
  /** Calls back whenever the network, or a person's attention, has come back. Returns what ends that. */
  onWake(callback: () => void): () => void;
}

/** As much of a browser's page as is used. Workers and Node have none, or a part of it. */
interface Page {
  addEventListener?: EventTarget["addEventListener"];
  removeEventListener?: EventTarget["removeEventListener"];
  document?: Document;
}

export const realSeams: Seams = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  now: () => performance.now(),
  onWake(callback) {
    const page = globalThis as Page;
    const seen = () => {
      if (page.document?.visibilityState === "visible") callback();
    };
    page.addEventListener?.("online", callback);
    page.document?.addEventListener("visibilitychange", seen);
    return () => {
      page.removeEventListener?.("online", callback);
      page.document?.removeEventListener("visibilitychange", seen);
    };
  },
};
