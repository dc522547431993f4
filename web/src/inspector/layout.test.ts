import assert from "node:assert/strict";
import { test } from "node:test";
import { type Edge, layOut, type Size, spread } from "./layout.ts";

const edgesOf = (pairs: [number, number][]): Edge[] => pairs.map(([from, to]) => ({ from, to }));

// A decoder's attention branch: in, norm, q, k, v, attention, projection, sum.
const NODES: Size[] = [60, 100, 90, 90, 90, 140, 120, 40].map((width) => ({ width, height: 40 }));
const EDGES = edgesOf([
  [0, 1],
  [1, 2],
  [1, 3],
  [1, 4],
  [2, 5],
  [3, 5],
  [4, 5],
  [5, 6],
  [0, 7],
  [6, 7],
]);

test("nodes stand below what they take from, and apart from each other", () => {
  const { places, paths, width, height } = layOut(NODES, EDGES);
  for (const { from, to } of EDGES) assert.ok(places[from]!.y < places[to]!.y);
  for (let a = 0; a < NODES.length; ++a) {
    const { x, y } = places[a]!;
    const half = NODES[a]!.width / 2;
    assert.ok(x - half > -1e-6 && x + half < width + 1e-6 && y + 20 < height + 1e-6);
    for (let b = 0; b < a; ++b) {
      const apart = (NODES[a]!.width + NODES[b]!.width) / 2;
      assert.ok(places[b]!.y !== y || Math.abs(places[b]!.x - x) > apart, `${a} ${b}`);
    }
  }
  for (const path of paths) path.forEach(({ y }, i) => assert.ok(i === 0 || y >= path[i - 1]!.y));
});

test("a residual stream is straight, and passes beside what it skips", () => {
  const { places, paths } = layOut(NODES, EDGES);
  const path = paths[8]!;
  assert.equal(path.length, 2 + 2 * 4);
  for (const { x } of path) assert.ok(Math.abs(x - path[0]!.x) < 1.5, JSON.stringify(path));
  for (const node of [1, 2, 3, 4, 5, 6])
    assert.ok(Math.abs(places[node]!.x - path[0]!.x) > NODES[node]!.width / 2, String(node));
  assert.ok(Math.abs(places[3]!.x - places[5]!.x) < 3, "attention stands below the middle one of its inputs");
});

test("edges do not cross where they need not", () => {
  // 0 and 1 feed 3 and 2: the order of one rank has to change.
  const { places } = layOut(
    [0, 1, 2, 3].map(() => ({ width: 20, height: 10 })),
    edgesOf([
      [0, 3],
      [1, 2],
    ]),
  );
  assert.equal(Math.sign(places[0]!.x - places[1]!.x), Math.sign(places[3]!.x - places[2]!.x));
});

test("what has no place of its own is as near to it as widths allow", () => {
  const x = spread([0, 0, 40].map((wanted) => ({ width: 10, weight: 1, wanted })));
  assert.deepEqual(x, [-10, 10, 40]);
});

test("nothing and one node are graphs, too", () => {
  assert.deepEqual(layOut([], []).places, []);
  assert.deepEqual(layOut([{ width: 10, height: 4 }], []), {
    width: 10,
    height: 4,
    places: [{ x: 5, y: 2 }],
    paths: [],
  });
});
