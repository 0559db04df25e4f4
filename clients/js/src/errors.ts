// What can go wrong, each with a stable `code`. Messages are for people.

/** Any error of this client. */
export class StreamError extends Error {
  override name = "StreamError";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The server refused a command: `code` is that of docs/stream.md, such as `unknown_game`. Nothing was done. */
export class CommandError extends StreamError {
  override name = "CommandError";
  constructor(code: string, detail?: string) {
    super(code, detail ?? code);
  }
}

/** No answer in time. A command that moves something may have been carried out all the same. */
export class TimeoutError extends StreamError {
  override name = "TimeoutError";
  constructor(command: string) {
    super("timeout", `no answer to ${command} in time`);
  }
}

/** The connection ended after the command was sent. It may have been carried out all the same. */
export class ConnectionLostError extends StreamError {
  override name = "ConnectionLostError";
  constructor(command: string) {
    super("connection_lost", `the connection ended before ${command} was answered`);
  }
}

/** The stream is over, by `close()` or by a close code that says not to come back. */
export class ClosedError extends StreamError {
  override name = "ClosedError";
  constructor(
    /** The WebSocket's close code; 1000 after `close()`. */
    readonly closeCode: number,
    /** Such as `replaced`. */
    readonly reason: string,
  ) {
    super("closed", `the stream is closed: ${closeCode} ${reason}`.trimEnd());
  }
}

/** The reader of `for await` was too far behind. */
export class SlowReaderError extends StreamError {
  override name = "SlowReaderError";
  constructor(limit: number) {
    super("slow_reader", `more than ${limit} messages were waiting to be read`);
  }
}
