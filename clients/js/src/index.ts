// A player's stream of a Pitboss casino. Begin with `connect`.

import { realSeams } from "./seams.js";
import { Stream, type Options } from "./stream.js";

/**
 * Opens a player's stream and keeps it open. Every event comes once and in order, over whatever breaks, or a new
 * `snapshot` with `recovered: false` takes the place of what was missed.
 */
export function connect(options: Options): Stream {
  return new Stream(options, realSeams);
}

export * from "./errors.js";
export type * from "./events.js";
export type * from "./messages.js";
export type { Backoff } from "./reconnect.js";
export type { Socket, SocketClass } from "./seams.js";
export type { Heard, Options, Stream, StreamState } from "./stream.js";
export type { Topic } from "./topics.js";
export type { OpenRound } from "./view.js";
