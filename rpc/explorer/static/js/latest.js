// Keeps a late answer from overwriting a newer one. Pure.

/** The order of questions about one thing, and which of their answers may still be shown. */
export class Latest {
  #asked = 0;
  #shown = 0;
  #height = -1;

  /** Begins a question; gives the ticket that its answer has to show. */
  begin() {
    this.#asked += 1;
    return this.#asked;
  }

  /** Returns true if a question is under way that is newer than any answer shown. */
  isWaiting() {
    return this.#asked > this.#shown;
  }

  /**
   * Records an answer and returns true, unless an answer to a newer question has come, or one about
   * a higher block.
   *
   * @param {number} ticket
   * @param {number} [height] The height that the answer is about, if it says one.
   */
  record(ticket, height) {
    if (ticket <= this.#shown) return false;
    this.#shown = ticket;
    if (height === undefined) return true;
    if (height < this.#height) return false;
    this.#height = height;
    return true;
  }
}
