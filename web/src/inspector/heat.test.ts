import assert from "node:assert/strict";
import { test } from "node:test";
import type { Token } from "../api/inspector.ts";
import { BOUNDS, heightOf, LEVELS, levelOf, medianOf, shade, summaryOf } from "./heat.ts";

const token = (changes: Partial<Token>): Token => ({
  id: 1,
  text: "a",
  logprob: 0,
  rank: 0,
  entropy: 0,
  top: [],
  steps: [],
  allowed: null,
  ms: 10,
  rows: 1,
  sequences: 1,
  guessed: false,
  ...changes,
});

test("a level begins at its bound", () => {
  assert.equal(levelOf("entropy", token({ entropy: 0 }), 1), 0);
  assert.equal(levelOf("entropy", token({ entropy: 0.25 }), 1), 1);
  assert.equal(levelOf("entropy", token({ entropy: 99 }), 1), LEVELS - 1);
  assert.equal(levelOf("probability", token({ logprob: 0 }), 1), 0);
  assert.equal(levelOf("probability", token({ logprob: Math.log(0.5) }), 1), 3);
  assert.equal(levelOf("probability", token({ logprob: -20 }), 1), LEVELS - 1);
  assert.equal(levelOf("time", token({ ms: 10 }), 10), 0);
  assert.equal(levelOf("time", token({ ms: 20 }), 10), 4);
  assert.equal(levelOf("time", token({ ms: 20 }), 0), LEVELS - 1);
});

test("there is a bound for every level but the first", () => {
  for (const bounds of Object.values(BOUNDS)) assert.equal(bounds.length, LEVELS - 1);
});

test("a bar is in proportion, and never beyond the end", () => {
  assert.equal(heightOf("entropy", token({ entropy: 0 }), 1), 0);
  assert.equal(heightOf("entropy", token({ entropy: 3 }), 1), 0.5);
  assert.equal(heightOf("entropy", token({ entropy: 99 }), 1), 1);
  assert.equal(heightOf("probability", token({ logprob: 0 }), 1), 0);
  assert.equal(heightOf("probability", token({ logprob: -99 }), 1), 1);
  assert.ok(Math.abs(heightOf("time", token({ ms: 10 }), 10) - 1 / 9.6) < 1e-12);
});

test("shades keep small shares apart", () => {
  assert.deepEqual([-1, 0, 0.02, 0.1, 0.5, 1, 2].map(shade), [0, 0, 1, 2, 5, 7, 7]);
});

test("the median is the middle", () => {
  assert.equal(medianOf([]), 0);
  assert.equal(medianOf([3, 1, 2]), 2);
  assert.equal(medianOf([4, 1, 2, 3]), 2.5);
});

test("a reply is summed up", () => {
  const half = Math.log(0.5);
  const sum = summaryOf([token({ logprob: half, entropy: 1, guessed: true }), token({ logprob: half, entropy: 3 })]);
  assert.equal(sum.tokens, 2);
  assert.equal(sum.entropy, 2);
  assert.ok(Math.abs(sum.perplexity - 2) < 1e-12);
  assert.equal(sum.ms, 10);
  assert.equal(sum.guessed, 1);
  assert.equal(summaryOf([]).perplexity, 1);
});
