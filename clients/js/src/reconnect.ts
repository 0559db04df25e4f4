// When to come back after a connection ended, and when not to. Pure rules.

/** A hint is believed up to this. */
const HINT_MAX_MS = 300_000;

const SESSION_EXPIRED = 4102;
const UNAUTHORIZED = 4104;

/** What to do after a close. */
export type Verdict =
  /** Come back, after the pause that the server asks for, or after one that grows. */
  | { kind: "reconnect"; hintMs?: number }
  /** Come back with another token. */
  | { kind: "renew" }
  /** Do not come back. */
  | { kind: "stop" };

export function verdict(code: number, reason: string, canRenew: boolean): Verdict {
  if (canRenew && (code === SESSION_EXPIRED || code === UNAUTHORIZED)) return { kind: "renew" };
  if (code >= 4100 && code < 4200) return { kind: "stop" };
  const hint = /;retry_ms=(\d{1,9})(?:;|$)/.exec(reason);
  if (code >= 4000 && code < 4100 && hint) {
    return { kind: "reconnect", hintMs: Math.min(Number(hint[1]), HINT_MAX_MS) };
  }
  return { kind: "reconnect" };
}

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** A pause with full jitter: anything from 0 to a bound that doubles with each failure. */
export function pauseMs(failures: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
}
