// A recording of a reply, as it grows.

import { type Signal, signal } from "@preact/signals";
import type { Recording, Token } from "../api/inspector.ts";

/** A reply's recording. Tokens come one by one: the array grows in place, and `count` says how many there are. */
export class Reply {
  readonly head: Signal<Recording>;
  readonly tokens: Token[];
  readonly count: Signal<number>;

  constructor({ tokens = [], ...head }: Recording) {
    this.head = signal(head);
    this.tokens = [...tokens];
    this.count = signal(tokens.length);
  }

  get id() {
    return this.head.peek().message;
  }

  /** False: some before these are missing. */
  add(first: number, tokens: readonly Token[]): boolean {
    if (first > this.tokens.length) return false;
    this.tokens.push(...tokens.slice(this.tokens.length - first));
    this.count.value = this.tokens.length;
    return true;
  }
}
