// What is known of a message is put together from two sources that race: pieces of its text (deltas) that the event
// stream brings, and whole messages that were fetched, which may be older than the pieces or newer.

import type { Message } from "../api/types.ts";

/** The text with a piece added that belongs at an offset, or null where something between them is missing. */
export function addPiece(text: string, at: number, piece: string): string | null {
  if (at > text.length) return null;
  const known = text.length - at;
  return known >= piece.length ? text : text + piece.slice(known);
}

/** Of two states of one message the later; of a reply that is being written the longer texts. */
export function mergeMessage(known: Message | undefined, given: Message): Message {
  if (!known) return given;
  if (given.updated < known.updated) return known;
  if (given.state !== "writing" || known.state !== "writing") return given;
  return {
    ...given,
    content: longer(known.content, given.content),
    reasoning: longer(known.reasoning, given.reasoning),
  };
}

// A reply that goes on is only ever added to, so that the longer one begins with the other.
function longer(known: string, given: string): string {
  return known.length > given.length ? known : given;
}
