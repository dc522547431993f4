import assert from "node:assert/strict";
import { test } from "node:test";
import { familyOf, gbps, gops, readTrace, seen, sliceAt, tableOf, type TraceEvent, waitingIn } from "./trace.ts";

const slice = (tid: number, name: string, ts: number, dur: number, args: TraceEvent["args"] = {}): TraceEvent => ({
  ph: "X",
  pid: 1,
  tid,
  name,
  ts,
  dur,
  args,
});

const args = { rows: 1, layer: 0, bytes: 4000, macs: 2000 };
const file = {
  traceEvents: [
    { ph: "M", pid: 1, tid: 1, name: "thread_name", args: { name: "worker 1" } },
    slice(0, "run", 0, 100, { tokens: 3 }),
    slice(0, "run", 200, 50, { tokens: 1 }),
    slice(1, "matmul q", 0, 10, args),
    slice(1, "wait", 10, 2),
    slice(1, "matmul q", 12, 8, args),
    slice(1, "norm", 30, 5, { rows: 1, layer: 0 }),
    slice(1, "matmul q", 200, 10, args),
    slice(2, "matmul q", 2, 10, args),
    slice(2, "matmul q", 12, 8, args),
    slice(2, "matmul q", 201, 8, args),
  ],
  otherData: { dropped_runs: 2 },
};

test("workers share an operation: from the first that begins to the last that ends", () => {
  const trace = readTrace(file);
  assert.deepEqual(
    trace.operations.map(({ name, run, from, to }) => [name, run, from, to]),
    [
      ["matmul q", 0, 0, 12],
      ["matmul q", 0, 12, 20],
      ["norm", 0, 30, 35],
      ["matmul q", 1, 200, 210],
    ],
  );
  assert.deepEqual([trace.from, trace.to, trace.droppedRuns], [0, 250, 2]);
  assert.deepEqual(
    trace.tracks.map(({ tid, name }) => [tid, name]),
    [
      [0, ""],
      [1, "worker 1"],
      [2, ""],
    ],
  );
  assert.equal(trace.tracks[1]!.operations[1], -1);
});

test("who comes when an operation is done takes no part in its time", () => {
  const late = readTrace({ traceEvents: [slice(1, "matmul q", 0, 10, args), slice(2, "matmul q", 40, 1, args)] });
  assert.deepEqual(
    late.operations.map(({ from, to }) => [from, to]),
    [[0, 10]],
  );
  assert.equal(late.tracks[1]!.operations[0], 0);
});

test("a worker that skipped runs takes part in the one that it came back for", () => {
  const run = (tid: number, ts: number) => slice(tid, "matmul q", ts, 10, args);
  const trace = readTrace({ traceEvents: [run(1, 0), run(1, 1e4), run(1, 2e4), run(2, 1), run(2, 2e4 + 1)] });
  assert.deepEqual([...trace.tracks[1]!.operations], [0, 2]);
  // And one that the others skipped is its own.
  const alone = readTrace({ traceEvents: [run(1, 0), run(1, 2e4), run(2, 1), run(2, 1e4), run(2, 2e4 + 1)] });
  assert.deepEqual([...alone.tracks[1]!.operations], [0, 2, 1]);
  assert.equal(alone.operations.length, 3);
});

test("the table has each kind once, with what it reached", () => {
  const rows = tableOf(readTrace(file));
  assert.deepEqual(
    rows.map(({ name, calls, us }) => [name, calls, us]),
    [
      ["matmul q", 3, 30],
      ["norm", 1, 5],
    ],
  );
  assert.equal(rows[0]!.share, 30 / 150);
  assert.equal(rows[0]!.gbps, 12_000 / 30 / 1e3);
  assert.equal(rows[0]!.gops, (2 * 6_000) / 30 / 1e3);
  assert.equal(rows[1]!.gbps, null);
  // Of what is in view only; what it reached is of the whole operation.
  const [row] = tableOf(readTrace(file), 205, 225);
  assert.deepEqual([row!.calls, row!.us, row!.share, row!.gbps], [1, 5, 5 / 20, 4_000 / 10 / 1e3]);
});

test("waiting is a share of the workers' time", () => {
  const trace = readTrace(file);
  assert.equal(waitingIn(trace, 10, 12), 0.5); // one of two
  assert.equal(waitingIn(trace, 11, 21), 0.05);
  assert.equal(waitingIn(trace, 20, 30), 0);
  assert.equal(waitingIn(readTrace({ traceEvents: [] }), 0, 1), 0);
});

test("rates are of bytes and of twice the multiplications", () => {
  assert.equal(gbps(1e6, 1e3), 1);
  assert.equal(gops(1e6, 1e3), 2);
  assert.equal(gbps(0, 10), null);
  assert.equal(gops(10, 0), null);
});

test("an empty file is an empty timeline", () => {
  const trace = readTrace({ traceEvents: [] });
  assert.deepEqual([trace.tracks.length, trace.from, trace.to], [0, 0, 0]);
  assert.deepEqual(tableOf(trace), []);
});

test("what is drawn is bounded by the pixels, and the longest slice stands for its neighbours", () => {
  const events = Array.from({ length: 10_000 }, (_, i) =>
    slice(1, i === 5_000 ? "long" : "short", i, i === 5_000 ? 0.9 : 0.5),
  );
  const trace = readTrace({ traceEvents: events });
  const track = trace.tracks[0]!;
  const drawn = seen(track, 0, 10_000, 100);
  assert.ok(drawn.length <= 101, String(drawn.length));
  assert.ok(drawn.some((each) => each.slice === 5_000));
  // Near enough, each is itself.
  assert.deepEqual(
    seen(track, 10, 13, 300).map(({ x, width, slice }) => [x, width, slice]),
    [
      [0, 50, 10],
      [100, 50, 11],
      [200, 50, 12],
    ],
  );
});

test("a slice is found by its time", () => {
  const track = readTrace(file).tracks[1]!;
  assert.equal(sliceAt(track, 5), 0);
  assert.equal(sliceAt(track, 11), 1);
  assert.equal(sliceAt(track, 25), -1);
  assert.equal(sliceAt(track, 29, 2), 3);
  assert.equal(sliceAt(track, 21, 2), 2);
  assert.equal(sliceAt(track, 1_000), -1);
});

test("operations have families", () => {
  assert.deepEqual(["matmul ffn_down Q6_K", "attention", "rms_norm", "wait", "embed"].map(familyOf), [
    "matmul",
    "attention",
    "norm",
    "wait",
    "other",
  ]);
});
