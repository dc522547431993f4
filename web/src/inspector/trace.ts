// The timeline of a reply: Chrome's trace events as they come from the server, by tracks and operations. Track 0 has the
// runs of the model, the others what each worker did. All workers share an operation: it lasts from the first that
// begins to the last that ends. Times are microseconds.

export interface TraceEvent {
  ph: string;
  pid?: number;
  tid?: number;
  name?: string;
  ts?: number;
  dur?: number;
  args?: { name?: string; tokens?: number; rows?: number; layer?: number; bytes?: number; macs?: number };
}
export interface TraceFile {
  traceEvents: TraceEvent[];
  otherData?: { dropped_runs?: number };
}

export interface Track {
  tid: number;
  name: string;
  from: Float64Array;
  to: Float64Array;
  /** Of each slice, in `Trace.names`. */
  names: Int32Array;
  /** Of each slice, in `Trace.operations`; -1: a run or a wait. */
  operations: Int32Array;
}

export interface Operation {
  name: string;
  run: number;
  layer: number | null;
  rows: number;
  bytes: number;
  macs: number;
  from: number;
  to: number;
}

export interface Run {
  from: number;
  to: number;
  tokens: number;
}

export interface Trace {
  tracks: Track[];
  names: string[];
  operations: Operation[];
  runs: Run[];
  from: number;
  to: number;
  droppedRuns: number;
}

export const WAIT = "wait";
const RUNS = 0;

export function readTrace(file: TraceFile): Trace {
  const byTrack = new Map<number, TraceEvent[]>();
  const titles = new Map<number, string>();
  for (const event of file.traceEvents) {
    const tid = event.tid ?? 0;
    if (event.ph === "M" && event.name === "thread_name" && event.args?.name) titles.set(tid, event.args.name);
    if (event.ph !== "X") continue;
    const events = byTrack.get(tid);
    if (events) events.push(event);
    else byTrack.set(tid, [event]);
  }
  for (const events of byTrack.values()) events.sort((a, b) => a.ts! - b.ts!);
  const reader = new Reader(kindsOf(byTrack));
  const tracks = [...byTrack.keys()]
    .sort((a, b) => a - b)
    .map((tid) => reader.track(tid, titles.get(tid) ?? "", byTrack.get(tid)!));
  const runs = (byTrack.get(RUNS) ?? []).map((event) => ({
    from: event.ts!,
    to: event.ts! + event.dur!,
    tokens: event.args?.tokens ?? 0,
  }));
  const operations = reader.operations.map(({ shares, ...rest }) => ({ ...rest, ...spanOf(shares) }));
  for (const each of operations) each.run = runAt(runs, each.from);
  const from = tracks.reduce((least, track) => Math.min(least, track.from[0] ?? Infinity), Infinity);
  const to = tracks.reduce((most, track) => Math.max(most, track.to.at(-1) ?? -Infinity), -Infinity);
  return {
    tracks,
    names: reader.names,
    operations,
    runs,
    from: tracks.length ? from : 0,
    to: tracks.length ? to : 0,
    droppedRuns: file.otherData?.dropped_runs ?? 0,
  };
}

type Shared = Omit<Operation, "from" | "to"> & { from: number; shares: [number, number][] };

const kindOf = (event: TraceEvent) => `${event.name} ${event.args?.layer ?? ""}`;
const works = (tid: number, event: TraceEvent) => tid !== RUNS && event.name !== WAIT;

/** The kinds of operations, by name and layer, that not all workers did equally often. */
function kindsOf(byTrack: ReadonlyMap<number, readonly TraceEvent[]>): ReadonlySet<string> {
  const counts = new Map<string, Map<number, number>>();
  for (const [tid, events] of byTrack)
    for (const event of events) {
      if (!works(tid, event)) continue;
      const kind = kindOf(event);
      let ofKind = counts.get(kind);
      if (!ofKind) counts.set(kind, (ofKind = new Map()));
      ofKind.set(tid, (ofKind.get(tid) ?? 0) + 1);
    }
  return new Set([...counts].filter(([, each]) => new Set(each.values()).size > 1).map(([kind]) => kind));
}

/** A worker that begins an operation so much before another's is about another one. Microseconds. */
const APART = 1_000;

/** Finds out which slices of different workers are of one operation. */
class Reader {
  readonly names: string[] = [];
  readonly operations: Shared[] = [];
  private readonly indexes = new Map<string, number>();
  /** By name and layer, the operations of that kind, in their order. */
  private readonly kinds = new Map<string, number[]>();
  private readonly uneven: ReadonlySet<string>;

  constructor(uneven: ReadonlySet<string>) {
    this.uneven = uneven;
  }

  track(tid: number, name: string, events: readonly TraceEvent[]): Track {
    const track: Track = {
      tid,
      name,
      from: Float64Array.from(events, (event) => event.ts!),
      to: Float64Array.from(events, (event) => event.ts! + event.dur!),
      names: Int32Array.from(events, (event) => this.index(event.name ?? "")),
      operations: new Int32Array(events.length).fill(-1),
    };
    const next = new Map<string, number>();
    events.forEach((event, i) => {
      if (works(tid, event)) track.operations[i] = this.operation(event, next);
    });
    return track;
  }

  private index(name: string): number {
    let index = this.indexes.get(name);
    if (index === undefined) this.indexes.set(name, (index = this.names.push(name) - 1));
    return index;
  }

  /** The workers do all operations in the same order: it is the next of its kind, however late a worker is. Where a
   *  worker took no part in some runs, it is the one that time tells. */
  private operation(event: TraceEvent, next: Map<string, number>): number {
    const kind = kindOf(event);
    const uneven = this.uneven.has(kind);
    let known = this.kinds.get(kind);
    if (!known) this.kinds.set(kind, (known = []));
    const begin = event.ts!;
    const end = begin + event.dur!;
    let at = next.get(kind) ?? 0;
    while (uneven && at + 1 < known.length && this.operations[known[at + 1]!]!.from <= begin) ++at;
    next.set(kind, at + 1);
    const found = known[at];
    if (found !== undefined && (!uneven || this.operations[found]!.from <= end + APART)) {
      this.operations[found]!.shares.push([begin, end]);
      return found;
    }
    const { layer = null, rows = 0, bytes = 0, macs = 0 } = event.args ?? {};
    const shares: [number, number][] = [[begin, end]];
    const made = this.operations.push({
      name: event.name ?? "",
      run: 0,
      layer,
      rows,
      bytes,
      macs,
      from: begin,
      shares,
    });
    known.splice(at, 0, made - 1);
    return made - 1;
  }
}

/** From the first that begins to the last that ends. Who comes when the others are done found nothing left to do. */
function spanOf(shares: [number, number][]): { from: number; to: number } {
  shares.sort((a, b) => a[0] - b[0]);
  let [from, to] = shares[0]!;
  for (const [begin, end] of shares) if (begin <= to) to = Math.max(to, end);
  return { from, to };
}

/** The run that this time is in, or that came before it. */
function runAt(runs: readonly Run[], time: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle]!.from <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

/** Gigabytes a second, and 2 operations for each multiplication with its addition; null: it moves or computes none. */
export const gbps = (bytes: number, us: number) => (bytes && us > 0 ? bytes / us / 1e3 : null);
export const gops = (macs: number, us: number) => (macs && us > 0 ? (2 * macs) / us / 1e3 : null);

export interface Row {
  name: string;
  calls: number;
  us: number;
  /** Of the time of all runs. */
  share: number;
  gbps: number | null;
  gops: number | null;
}

/** By operation, the longest first; where two times are given, of what lies between them. */
export function tableOf(trace: Trace, from = -Infinity, to = Infinity): Row[] {
  const within = (each: { from: number; to: number }) => Math.min(each.to, to) - Math.max(each.from, from);
  const sums = new Map<string, { calls: number; us: number; whole: number; bytes: number; macs: number }>();
  for (const each of trace.operations) {
    const us = within(each);
    if (us <= 0) continue;
    let sum = sums.get(each.name);
    if (!sum) sums.set(each.name, (sum = { calls: 0, us: 0, whole: 0, bytes: 0, macs: 0 }));
    sum.calls += 1;
    sum.us += us;
    sum.whole += each.to - each.from;
    sum.bytes += each.bytes;
    sum.macs += each.macs;
  }
  let all = 0;
  for (const run of trace.runs) all += Math.max(within(run), 0);
  if (!all) for (const { us } of sums.values()) all += us;
  return [...sums]
    .map(([name, { calls, us, whole, bytes, macs }]) => ({
      name,
      calls,
      us,
      share: all ? us / all : 0,
      gbps: gbps(bytes, whole),
      gops: gops(macs, whole),
    }))
    .sort((a, b) => b.us - a.us);
}

/** Which share of their time the workers waited for each other between two times. */
export function waitingIn(trace: Trace, from: number, to: number): number {
  const wait = trace.names.indexOf(WAIT);
  let waited = 0;
  let workers = 0;
  for (const track of trace.tracks) {
    if (track.tid === RUNS) continue;
    ++workers;
    for (let i = firstEndingAfter(track, from); i < track.from.length && track.from[i]! < to; ++i)
      if (track.names[i] === wait) waited += Math.min(track.to[i]!, to) - Math.max(track.from[i]!, from);
  }
  return workers && to > from ? waited / workers / (to - from) : 0;
}

/** A slice, or several that share a pixel, as it is drawn: from `x` on, `width` pixels. `slice`: the longest of them. */
export interface Drawn {
  x: number;
  width: number;
  slice: number;
}

/** What of a track is seen between two times, where that is `pixels` wide. Never more than about one for each pixel. */
export function seen(track: Track, from: number, to: number, pixels: number): Drawn[] {
  const drawn: Drawn[] = [];
  const scale = pixels / (to - from);
  for (let i = firstEndingAfter(track, from); i < track.from.length && track.from[i]! < to;) {
    const x = (track.from[i]! - from) * scale;
    let end = (track.to[i]! - from) * scale;
    let slice = i;
    ++i;
    const pixel = Math.floor(x) + 1;
    while (end < pixel && i < track.from.length && (track.from[i]! - from) * scale < pixel) {
      if (track.to[i]! - track.from[i]! > track.to[slice]! - track.from[slice]!) slice = i;
      end = Math.max(end, (track.to[i]! - from) * scale);
      ++i;
    }
    const left = Math.max(x, 0);
    drawn.push({ x: left, width: Math.max(Math.min(end, pixels) - left, 0.75), slice });
  }
  return drawn;
}

/** The slice at a time, or -1. `slack`: how far beside it still counts. */
export function sliceAt(track: Track, time: number, slack = 0): number {
  const i = firstEndingAfter(track, time);
  if (i < track.from.length && track.from[i]! <= time) return i;
  if (i < track.from.length && track.from[i]! - time <= slack) return i;
  if (i > 0 && time - track.to[i - 1]! <= slack) return i - 1;
  return -1;
}

// Slices of a track follow each other, so their ends are in order, too.
function firstEndingAfter(track: Track, time: number): number {
  let low = 0;
  let high = track.to.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.to[middle]! > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Which of five families of operations, for its colour: products, attention, norms and others, exchange, waits. */
export type Family = "matmul" | "attention" | "norm" | "other" | "wait";
export function familyOf(name: string): Family {
  if (name === WAIT) return "wait";
  if (/^(matmul|gemm|gemv|linear)/.test(name)) return "matmul";
  if (/atten|rope|kv/.test(name)) return "attention";
  if (/norm|softmax|silu|gelu|add|mul|glu/.test(name)) return "norm";
  return "other";
}
