// Listeners, by the names and types of what they hear.

export class Emitter<Heard> {
  #listeners = new Map<keyof Heard, Set<(value: never) => void>>();

  /** Returns what takes the listener away again. */
  on<Name extends keyof Heard>(name: Name, listener: (value: Heard[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // One of its own, so that the same function may listen twice.
    const own = (value: Heard[Name]) => listener(value);
    listeners.add(own);
    return () => listeners.delete(own);
  }

  emit<Name extends keyof Heard>(name: Name, value: Heard[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (value: Heard[Name]) => void)(value);
      } catch (error) {
        // A listener's bug is its owner's: it is shown as any uncaught error, and disturbs nobody else.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
