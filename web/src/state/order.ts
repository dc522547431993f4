// Answers may come in another order than they were asked for. One that is older than what is shown is dropped.

export class Order {
  private asked = 0;
  private shown = 0;

  /** The number of a question that is asked now. */
  next(): number {
    return ++this.asked;
  }

  /** Whether the answer to it is to be shown; it then counts as shown. */
  takes(number: number): boolean {
    if (number < this.shown) return false;
    this.shown = number;
    return true;
  }
}
