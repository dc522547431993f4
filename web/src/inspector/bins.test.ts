import assert from "node:assert/strict";
import { test } from "node:test";
import { largestIn, largestOf, meanOf, roundUp } from "./bins.ts";

test("each stretch has its largest", () => {
  assert.deepEqual(largestIn([1, 5, 2, 3], 2), [5, 3]);
  assert.deepEqual(largestIn([1, 2], 4), [1, 1, 2, 2]);
  assert.deepEqual(largestIn([], 2), [0, 0]);
  // None is lost, whatever the ratio.
  for (const count of [1, 2, 3, 5, 7, 50]) {
    const values = Array.from({ length: 23 }, (_, i) => (i * 7) % 23);
    assert.equal(Math.max(...largestIn(values, count)), 22, String(count));
  }
});

test("the largest come first, the earlier before the later", () => {
  assert.deepEqual(largestOf([1, 3, 2, 3], 3), [1, 3, 2]);
  assert.deepEqual(largestOf([], 3), []);
});

test("a mean is by position", () => {
  assert.deepEqual(
    meanOf([
      [1, 2],
      [3, 4],
    ]),
    [2, 3],
  );
  assert.deepEqual(meanOf([]), []);
});

test("axes end at round numbers", () => {
  assert.deepEqual([0, 0.3, 1, 1.2, 2, 3, 7, 10, 54].map(roundUp), [1, 0.5, 1, 2, 2, 5, 10, 10, 100]);
});
