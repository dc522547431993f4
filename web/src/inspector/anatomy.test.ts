import assert from "node:assert/strict";
import { test } from "node:test";
import type { Anatomy, Block, Op, Pair, Tensor } from "../api/anatomy.ts";
import {
  bitsOf,
  decibelsOf,
  errorHeight,
  errorLevel,
  indexOf,
  kindsOf,
  listed,
  partOf,
  rangesOf,
  shapeOf,
} from "./anatomy.ts";

const tensor = (name: string, format = "F32", bytes = 4): Tensor => ({
  name,
  format,
  dims: [2, 3],
  elements: 6,
  bytes,
});
const op = (id: number, inputs: number[], ...tensors: string[]): Op => ({
  id,
  op: "matmul",
  name: "",
  width: 2,
  inputs,
  weights: tensors.map((name) => ({ role: "matrix", tensor: name })),
});

test("layers that are alike are one kind, wherever they stand", () => {
  const layer = (layer: number, like: number): Block => ({ kind: "layer", layer, like, ops: [] });
  const blocks: Block[] = [{ kind: "input", ops: [] }, ...[0, 0, 2, 0, 2].map((like, i) => layer(i, like))];
  assert.deepEqual(kindsOf(blocks), [
    { like: 0, layers: [0, 1, 3] },
    { like: 2, layers: [2, 4] },
  ]);
  assert.equal(rangesOf([0, 1, 2, 4, 6, 7]), "0–2, 4, 6–7");
  assert.equal(rangesOf([]), "");
});

test("tensors and operations are found from each other", () => {
  const blocks: Block[] = [
    { kind: "input", ops: [op(0, [], "tied")] },
    { kind: "output", ops: [op(1, [0, 0], "tied", "bias")] },
  ];
  const index = indexOf({ blocks, tensors: [tensor("tied"), tensor("bias")] } as unknown as Anatomy);
  assert.deepEqual(
    index.uses.get("tied")!.map((use) => use.op.id),
    [0, 1],
  );
  assert.deepEqual(
    index.users.get(0)!.map((use) => use.op.id),
    [1],
    "once, though it takes it twice",
  );
  assert.equal(index.ops.get(1)!.block.kind, "output");
  assert.equal(index.tensors.get("bias")!.format, "F32");
});

test("names and shapes", () => {
  assert.equal(partOf("blk.12.attn_q.weight"), "attn_q");
  assert.equal(partOf("output_norm"), "output_norm");
  assert.deepEqual(shapeOf(tensor("a")), [3, 2]);
  assert.equal(bitsOf({ bytes: 144, elements: 256 }), 4.5);
  assert.equal(bitsOf({ bytes: 0, elements: 0 }), 0);
});

test("errors in decibels, and how warm and high they are", () => {
  assert.equal(decibelsOf(0.01), 20);
  assert.equal(decibelsOf(0), Infinity);
  assert.equal(errorLevel(0), 0);
  assert.equal(errorLevel(1), 7);
  assert.ok(errorLevel(1e-4) < errorLevel(1e-2));
  assert.equal(errorHeight(0), 0);
  assert.equal(errorHeight(1), 1);
  assert.equal(errorHeight(1e-3), 0.5);
  assert.equal(errorHeight(100), 1);
  assert.equal(errorHeight(Infinity), 1);
  assert.equal(errorLevel(Infinity), 7);
});

test("the list is filtered by words and sorted by column", () => {
  const all = [tensor("blk.10.a", "Q4_K", 3), tensor("blk.2.a", "Q8_0", 9), tensor("norm", "F32", 1)];
  const pairs = new Map([
    ["blk.2.a", { nmse: 1e-4 } as Pair],
    ["norm", { nmse: 0 } as Pair],
  ]);
  const names = (filter: string, by: "name" | "format" | "bytes" | "error", descending = false) =>
    listed(all, pairs, filter, { by, descending }).map(({ name }) => name);
  assert.deepEqual(names("", "name"), ["blk.2.a", "blk.10.a", "norm"]);
  assert.deepEqual(names("", "bytes", true), ["blk.2.a", "blk.10.a", "norm"]);
  assert.deepEqual(names("", "error", true), ["blk.2.a", "norm", "blk.10.a"]);
  assert.deepEqual(names(" BLK q4 ", "name"), ["blk.10.a"]);
  assert.deepEqual(names("nothing", "name"), []);
});
