import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../api/types.ts";
import { addPiece, mergeMessage } from "./merging.ts";

function message(changes: Partial<Message>): Message {
  return {
    id: 2,
    parent: 1,
    role: "assistant",
    content: "",
    reasoning: "",
    state: "writing",
    error: null,
    model: "m",
    report: null,
    attachments: [],
    created: 1,
    updated: 1,
    ...changes,
  };
}

test("pieces are added at the end", () => {
  assert.equal(addPiece("", 0, "Hel"), "Hel");
  assert.equal(addPiece("Hel", 3, "lo"), "Hello");
});

test("what is known of a piece is not added again", () => {
  assert.equal(addPiece("Hello", 3, "lo"), "Hello");
  assert.equal(addPiece("Hell", 3, "lo"), "Hello");
  assert.equal(addPiece("Hello there", 0, "Hello"), "Hello there");
});

test("a gap is told", () => {
  assert.equal(addPiece("Hel", 4, "o"), null);
});

test("offsets count UTF-16 code units", () => {
  assert.equal(addPiece("a🔥", 3, "b"), "a🔥b");
  assert.equal(addPiece("a🔥", 4, "b"), null);
});

test("of two states the later is kept, whatever the order in which they come", () => {
  const writing = message({ content: "Hel", updated: 1 });
  const done = message({ content: "Hello", state: "complete", updated: 2 });
  assert.equal(mergeMessage(writing, done), done);
  assert.equal(mergeMessage(done, writing), done);
  assert.equal(mergeMessage(undefined, done), done);
});

test("a fetched reply does not take away pieces that came meanwhile", () => {
  const known = message({ content: "Hello", reasoning: "a", updated: 1 });
  const fetched = message({ content: "Hel", reasoning: "abc", updated: 1 });
  const merged = mergeMessage(known, fetched);
  assert.equal(merged.content, "Hello");
  assert.equal(merged.reasoning, "abc");
});

test("a reply that is continued is writing again", () => {
  const stopped = message({ content: "Hel", state: "stopped", updated: 2 });
  const going = message({ content: "Hel", state: "writing", updated: 3 });
  assert.equal(mergeMessage(stopped, going).state, "writing");
});
