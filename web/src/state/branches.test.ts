import assert from "node:assert/strict";
import { test } from "node:test";
import { sameBranch, Tree } from "./branches.ts";

// 1 ─ 2 ─ 3 ─ 4
//      \─ 5 ─ 6
// 7 (an edit of 1) ─ 8
const tree = new Tree([
  { id: 6, parent: 5 },
  { id: 1, parent: null },
  { id: 2, parent: 1 },
  { id: 3, parent: 2 },
  { id: 4, parent: 3 },
  { id: 5, parent: 2 },
  { id: 7, parent: null },
  { id: 8, parent: 7 },
]);

test("a branch is the way to its leaf", () => {
  assert.deepEqual(tree.branchTo(4), [1, 2, 3, 4]);
  assert.deepEqual(tree.branchTo(6), [1, 2, 5, 6]);
  assert.deepEqual(tree.branchTo(8), [7, 8]);
});

test("an unknown leaf, or none, shows the newest message", () => {
  assert.deepEqual(tree.branchTo(null), [7, 8]);
  assert.deepEqual(tree.branchTo(99), [7, 8]);
  assert.deepEqual(new Tree([]).branchTo(1), []);
});

test("siblings are in the order of their ids", () => {
  assert.deepEqual(tree.siblingsOf(5), [3, 5]);
  assert.deepEqual(tree.siblingsOf(1), [1, 7]);
  assert.deepEqual(tree.siblingsOf(4), [4]);
});

test("a switched branch goes on by the newest of each level", () => {
  assert.equal(tree.leafOf(1), 6);
  assert.equal(tree.leafOf(3), 4);
  assert.equal(tree.leafOf(8), 8);
});

test("a message whose parent is gone begins a branch", () => {
  const orphan = new Tree([{ id: 12, parent: 11 }]);
  assert.deepEqual(orphan.branchTo(12), [12]);
  assert.deepEqual(orphan.siblingsOf(12), [12]);
});

test("branches compare by their messages", () => {
  assert.ok(sameBranch([1, 2], [1, 2]));
  assert.ok(!sameBranch([1, 2], [1, 3]));
  assert.ok(!sameBranch([1], [1, 2]));
});
