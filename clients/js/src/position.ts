// How far this client is: what comes again is dropped, what is missing is noticed. Pure rules.

/** What an event is to who knows all events up to a number. */
export type Arrival = "next" | "repeat" | "hole";

export class Position {
  /** The newest event that was given out, or that the server passed over; `undefined` before a snapshot. */
  seq: number | undefined;
  /** Of the database that `seq` counts in. */
  epoch: string | undefined;

  /** A snapshot includes everything up to its number. */
  begin(seq: number, epoch: string): void {
    this.seq = seq;
    this.epoch = epoch;
  }

  /** Moves on to an event, unless that is a repeat or something before it is missing. */
  event(seq: number, hearsAll: boolean): Arrival {
    const known = this.seq ?? seq - 1;
    if (seq <= known) return "repeat";
    if (hearsAll && seq !== known + 1) return "hole";
    this.seq = seq;
    return "next";
  }

  /** An answer tells how far the server has come. `false`: events up to there never arrived. */
  told(seq: number, hearsAll: boolean): boolean {
    if (this.seq === undefined || seq <= this.seq) return true;
    if (hearsAll) return false;
    this.seq = seq;
    return true;
  }
}
