// The conversation that is open: its messages, each in a signal of its own, so that a reply that grows redraws nothing
// but itself; and the branch that is shown.

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { getConversation } from "../api/routes.ts";
import type { Conversation, Event, Message } from "../api/types.ts";
import { sameBranch, Tree } from "./branches.ts";
import { change, dropSummary, summaries, takeSummary } from "./conversations.ts";
import { addPiece, mergeMessage } from "./merging.ts";
import { notifyError } from "./notices.ts";

export type Delta = Extract<Event, { type: "delta" }>;

export class OpenConversation {
  readonly id: number;
  readonly loaded = signal(false);
  readonly missing = signal(false);
  readonly tree = signal(new Tree([]));
  readonly branch: ReadonlySignal<readonly number[]>;
  /** When thinking began and ended, of the replies that were seen while they came. */
  readonly thought = signal<ReadonlyMap<number, { from: number; to: number | null }>>(new Map());

  private readonly messages = new Map<number, Signal<Message>>();
  private changed = 0;
  private fetching: Promise<void> | null = null;
  private again = false;
  /** Pieces of messages that are not there yet, or that have a gap before them. */
  private early: Delta[] = [];

  constructor(id: number) {
    this.id = id;
    let last: readonly number[] = [];
    this.branch = computed(() => {
      const next = this.tree.value.branchTo(summaries.value.get(id)?.leaf ?? null);
      return (last = sameBranch(last, next) ? last : next);
    });
  }

  message(id: number): Signal<Message> | undefined {
    return this.messages.get(id);
  }

  /** The newest reply that is being written on the branch. */
  get writing(): Message | undefined {
    const last = this.branch.value.at(-1);
    const message = last === undefined ? undefined : this.messages.get(last)?.value;
    return message?.state === "writing" ? message : undefined;
  }

  /** Fetches what has changed. Calls while a fetch is under way make one more after it. */
  refresh(): Promise<void> {
    if (this.fetching) {
      this.again = true;
      return this.fetching;
    }
    this.fetching = this.fetch().finally(() => {
      this.fetching = null;
      if (this.again) {
        this.again = false;
        void this.refresh();
      }
    });
    return this.fetching;
  }

  private async fetch() {
    try {
      const found = await getConversation(this.id, this.loaded.value ? this.changed : undefined);
      this.take(found);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) {
        this.missing.value = true;
        dropSummary(this.id);
      } else if (!error.unreachable && error.status !== 401) notifyError(error);
    }
  }

  private take(found: Conversation) {
    const { messages, whole, ...summary } = found;
    this.changed = Math.max(this.changed, summary.changed);
    if (whole) this.keepOnly(new Set(messages.map((message) => message.id)));
    takeSummary(summary);
    this.put(messages);
    this.loaded.value = true;
    const early = this.early;
    this.early = [];
    for (const delta of early) this.addDelta(delta, true);
  }

  private keepOnly(ids: ReadonlySet<number>) {
    let gone = false;
    for (const id of [...this.messages.keys()]) if (!ids.has(id)) gone = this.messages.delete(id) || gone;
    if (gone) this.plant();
  }

  put(messages: readonly Message[]) {
    let grown = false;
    for (const message of messages) {
      const known = this.messages.get(message.id);
      if (known) known.value = mergeMessage(known.peek(), message);
      else {
        this.messages.set(message.id, signal(message));
        grown = true;
      }
    }
    if (grown) this.plant();
  }

  private plant() {
    this.tree.value = new Tree([...this.messages.values()].map((each) => each.peek()));
  }

  addDelta(delta: Delta, fetched = false) {
    const known = this.messages.get(delta.message);
    const message = known?.peek();
    const text = message && addPiece(message[delta.part], delta.at, delta.text);
    if (!known || !message || text === undefined || text === null) {
      // After a fetch that did not bring it, another would not either, unless a piece is missing.
      this.early.push(delta);
      if (!fetched || message) void this.refresh();
      return;
    }
    if (text === message[delta.part]) return;
    this.timeThinking(message, delta.part);
    known.value = { ...message, [delta.part]: text };
  }

  private timeThinking(message: Message, part: Delta["part"]) {
    const span = this.thought.peek().get(message.id);
    const now = Date.now();
    if (part === "reasoning" && !message.reasoning)
      this.thought.value = new Map(this.thought.peek()).set(message.id, { from: now, to: null });
    else if (part === "content" && span?.to === null)
      this.thought.value = new Map(this.thought.peek()).set(message.id, { ...span, to: now });
  }

  /** Shows the branch that goes through this message. */
  show(id: number) {
    const leaf = this.tree.value.leafOf(id);
    if (this.branch.value.at(-1) !== leaf) void change(this.id, { leaf });
  }
}

export const opened = signal<OpenConversation | null>(null);

export function openConversation(id: number | null) {
  if (opened.peek()?.id === (id ?? undefined)) return;
  opened.value = id === null ? null : new OpenConversation(id);
  void opened.value?.refresh();
}
