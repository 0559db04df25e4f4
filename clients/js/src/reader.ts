// `for await` over what the stream tells.

import { SlowReaderError } from "./errors.js";

/** Messages that wait for a reader at most. */
const WAITING_MAX = 10_000;

export class Reader<T> implements AsyncIterableIterator<T> {
  #waiting: T[] = [];
  #wanted: { resolve(result: IteratorResult<T>): void; reject(error: Error): void }[] = [];
  #end: { error?: Error } | undefined;

  /** `onDone` is called when nobody reads any more. */
  constructor(private readonly onDone: (reader: Reader<T>) => void) {}

  push(value: T): void {
    if (this.#end) return;
    const wanted = this.#wanted.shift();
    if (wanted) wanted.resolve({ value, done: false });
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(value);
    else this.end(new SlowReaderError(WAITING_MAX));
  }

  /** What waits is still read; then the loop ends, with this error if there is one. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error ? { error } : {};
    this.onDone(this);
    for (const wanted of this.#wanted.splice(0)) this.#last().then(wanted.resolve, wanted.reject);
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#end) return this.#last();
    return new Promise((resolve, reject) => this.#wanted.push({ resolve, reject }));
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<T>> {
    this.#waiting = [];
    this.end();
    return this.#last();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error is told once. */
  #last(): Promise<IteratorResult<T>> {
    const error = this.#end?.error;
    this.#end = {};
    return error ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
  }
}
