// A layered drawing of a small graph, after Sugiyama, Tagawa and Toda (1981): each node stands below those that it takes
// from; edges that pass several ranks go through a place in each of them; within a rank, the order is the one with the
// fewest crossings found, and places are as near to their neighbours' as the widths allow. Long edges are kept straight,
// so that a residual stream is a line from top to bottom.

export interface Size {
  width: number;
  height: number;
}
export interface Point {
  x: number;
  y: number;
}
/** Indices of nodes. */
export interface Edge {
  from: number;
  to: number;
}
export interface Layout extends Size {
  /** Middles of nodes. */
  places: Point[];
  /** By edge: from the bottom of one node to the top of the other, through what it passes. */
  paths: Point[][];
}

const BESIDE = 10; // pixels between neighbours of a rank
const BELOW = 22; // pixels between ranks
const LANE = 8; // the width of an edge that passes a rank
const INSET = 10; // how near to a node's corner an edge may end
const STIFF = 100; // how much more a long edge wants to be straight
const SLACK = 0.02; // how much less the edges do that lead from it and to it
const SWEEPS = 24;

/** A node, or a place where an edge passes a rank. */
interface Vertex {
  width: number;
  x: number;
  above: [vertex: number, weight: number][];
  below: [vertex: number, weight: number][];
}

/** `nodes` come in an order in which edges lead forwards. */
export function layOut(nodes: readonly Size[], edges: readonly Edge[]): Layout {
  const rank = ranksOf(nodes.length, edges);
  const vertices: Vertex[] = nodes.map(({ width }) => ({ width, x: 0, above: [], below: [] }));
  const ranks: number[][] = Array.from({ length: Math.max(-1, ...rank) + 1 }, () => []);
  const long = ({ from, to }: Edge) => rank[to]! - rank[from]! > 1;
  const inLine = new Set(edges.filter(long).flatMap(({ from, to }) => [from, to]));
  const link = (upper: number, lower: number, weight: number) => {
    vertices[upper]!.below.push([lower, weight]);
    vertices[lower]!.above.push([upper, weight]);
  };
  const passed = edges.map((edge) => {
    const { from, to } = edge;
    if (!long(edge)) {
      link(from, to, inLine.has(from) || inLine.has(to) ? SLACK : 1);
      return [];
    }
    const through: number[] = [];
    for (let r = rank[from]! + 1; r < rank[to]!; ++r) {
      through.push(vertices.push({ width: LANE, x: 0, above: [], below: [] }) - 1);
      ranks[r]!.push(through.at(-1)!);
    }
    [from, ...through].forEach((each, i) => link(each, through[i] ?? to, STIFF));
    return through;
  });
  rank.forEach((r, node) => ranks[r]!.push(node));
  const ordered = orderOf(ranks, vertices);
  place(ordered, vertices);

  const tall = ordered.map((row) => Math.max(0, ...row.map((v) => nodes[v]?.height ?? 0)));
  const middles: number[] = [];
  let height = 0;
  for (const each of tall) {
    middles.push(height + each / 2);
    height += each + BELOW;
  }
  const left = Math.min(...vertices.map(({ x, width }) => x - width / 2));
  const right = Math.max(...vertices.map(({ x, width }) => x + width / 2));
  const xOf = (v: number) => vertices[v]!.x - left;
  const places = nodes.map((_, node) => ({ x: xOf(node), y: middles[rank[node]!]! }));
  const paths = edges.map(({ from, to }, i) => {
    const through = passed[i]!;
    const end = (node: number, towards: number, side: 1 | -1): Point => {
      const { width, height } = nodes[node]!;
      const reach = Math.max(width / 2 - INSET, 0);
      const { x, y } = places[node]!;
      return { x: Math.max(x - reach, Math.min(x + reach, xOf(towards))), y: y + (side * height) / 2 };
    };
    return [
      end(from, through[0] ?? to, 1),
      ...through.flatMap((v, at) => {
        const r = rank[from]! + 1 + at;
        return [-1, 1].map((side) => ({ x: xOf(v), y: middles[r]! + (side * tall[r]!) / 2 }));
      }),
      end(to, through.at(-1) ?? from, -1),
    ];
  });
  return { width: Math.max(right - left, 0), height: Math.max(height - BELOW, 0), places, paths };
}

/** One below the lowest that it takes from; what takes from nothing, right above the first that takes from it. */
function ranksOf(count: number, edges: readonly Edge[]): number[] {
  const rank = new Array<number>(count).fill(0);
  for (let node = 0; node < count; ++node)
    for (const { from, to } of edges) if (to === node) rank[node] = Math.max(rank[node]!, rank[from]! + 1);
  for (let node = 0; node < count; ++node) {
    const users = edges.filter(({ from }) => from === node).map(({ to }) => rank[to]!);
    if (users.length && edges.every(({ to }) => to !== node)) rank[node] = Math.max(Math.min(...users) - 1, 0);
  }
  return rank;
}

function orderOf(ranks: number[][], vertices: readonly Vertex[]): number[][] {
  let current = ranks;
  let best = ranks;
  let fewest = crossings(ranks, vertices);
  for (let sweep = 0; sweep < 8 && fewest > 0; ++sweep) {
    const down = sweep % 2 === 0;
    const position = new Map<number, number>();
    const rows = down ? current : current.toReversed();
    const sorted = rows.map((row) => {
      const wanted = new Map(
        row.map((v, i) => {
          const seen = vertices[v]![down ? "above" : "below"];
          return [v, seen.length ? seen.reduce((sum, [u]) => sum + position.get(u)!, 0) / seen.length : i];
        }),
      );
      const next = row.toSorted((a, b) => wanted.get(a)! - wanted.get(b)!);
      next.forEach((v, i) => position.set(v, i));
      return next;
    });
    current = down ? sorted : sorted.toReversed();
    const found = crossings(current, vertices);
    if (found < fewest) [best, fewest] = [current, found];
  }
  return best;
}

export function crossings(ranks: readonly (readonly number[])[], vertices: readonly Pick<Vertex, "below">[]): number {
  let count = 0;
  ranks.forEach((row, r) => {
    const at = new Map(ranks[r + 1]?.map((v, i) => [v, i]));
    const ends = row.flatMap((v, i) => vertices[v]!.below.map(([u]) => [i, at.get(u)!] as const));
    ends.forEach(([a, b], i) => {
      for (const [c, d] of ends.slice(i + 1)) if ((a - c) * (b - d) < 0) ++count;
    });
  });
  return count;
}

/** Moves each rank in turn to where its neighbours draw it, until all have settled. */
function place(ranks: readonly (readonly number[])[], vertices: readonly Vertex[]) {
  for (let sweep = 0; sweep < SWEEPS; ++sweep) {
    for (const row of sweep % 2 ? ranks.toReversed() : ranks) {
      const places = row.map((v) => {
        const { width, x, above, below } = vertices[v]!;
        // At first only what has been placed already counts.
        const seen = sweep === 0 ? above : [...above, ...below];
        const weight = seen.reduce((sum, [, each]) => sum + each, 0);
        return {
          width,
          weight,
          wanted: weight ? seen.reduce((sum, [u, w]) => sum + w * vertices[u]!.x, 0) / weight : x,
        };
      });
      spread(places).forEach((x, i) => (vertices[row[i]!]!.x = x));
    }
  }
}

/** Middles in this order, apart by the widths, with the least weighted squares of distances to those that are wanted:
 *  those that would overlap form a group, which moves as one (isotonic regression by pooling adjacent violators). */
export function spread(places: readonly { width: number; weight: number; wanted: number }[]): number[] {
  const offsets: number[] = [];
  const groups: { weight: number; at: number; count: number }[] = [];
  places.forEach(({ width, weight, wanted }, i) => {
    offsets.push(i ? offsets[i - 1]! + (places[i - 1]!.width + width) / 2 + BESIDE : 0);
    let group = { weight: Math.max(weight, 1e-3), at: wanted - offsets[i]!, count: 1 };
    while (groups.length && groups.at(-1)!.at > group.at) {
      const before = groups.pop()!;
      const sum = before.weight + group.weight;
      const at = (before.at * before.weight + group.at * group.weight) / sum;
      group = { weight: sum, at, count: before.count + group.count };
    }
    groups.push(group);
  });
  return groups.flatMap(({ at, count }) => new Array<number>(count).fill(at)).map((at, i) => at + offsets[i]!);
}
