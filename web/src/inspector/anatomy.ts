// What the model view reckons: layers that are alike, where tensors are used, how far two files are apart. No page, only
// numbers and names.

import type { Anatomy, Block, Op, Pair, Tensor } from "../api/anatomy.ts";

/** Layers that one drawing is enough for. */
export interface Kind {
  like: number;
  layers: number[];
}

export function kindsOf(blocks: readonly Block[]): Kind[] {
  const kinds = new Map<number, Kind>();
  for (const { kind, layer = 0, like = layer } of blocks) {
    if (kind !== "layer") continue;
    if (!kinds.has(like)) kinds.set(like, { like, layers: [] });
    kinds.get(like)!.layers.push(layer);
  }
  return [...kinds.values()];
}

/** "0–4, 6–10, 12" */
export function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const each of numbers) {
    const last = ranges.at(-1);
    if (last && each === last[1] + 1) last[1] = each;
    else ranges.push([each, each]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

/** An operation, and the block that it belongs to. */
export interface Use {
  op: Op;
  block: Block;
}

/** What leads from operations and tensors to where they are. */
export interface Index {
  ops: ReadonlyMap<number, Use>;
  /** By operation: those that take its value. */
  users: ReadonlyMap<number, readonly Use[]>;
  tensors: ReadonlyMap<string, Tensor>;
  /** By tensor: the operations that use it; two where a matrix is tied. */
  uses: ReadonlyMap<string, readonly Use[]>;
}

export function indexOf({ blocks, tensors }: Anatomy): Index {
  const ops = new Map<number, Use>();
  const users = new Map<number, Use[]>();
  const uses = new Map<string, Use[]>();
  const add = <K>(to: Map<K, Use[]>, key: K, use: Use) => {
    const known = to.get(key);
    if (!known) to.set(key, [use]);
    else if (!known.includes(use)) known.push(use);
  };
  for (const block of blocks) {
    for (const op of block.ops) {
      const use = { op, block };
      ops.set(op.id, use);
      for (const input of op.inputs) add(users, input, use);
      for (const { tensor } of op.weights) add(uses, tensor, use);
    }
  }
  return { ops, users, uses, tensors: new Map(tensors.map((each) => [each.name, each])) };
}

/** "ffn_down" of "blk.3.ffn_down" and of "blk.3.ffn_down.weight" */
export const partOf = (name: string) => name.replace(/^blk\.\d+\./, "").replace(/\.weight$/, "");

/** A row's length comes last, as shapes are written. */
export const shapeOf = ({ dims }: Tensor) => dims.toReversed();

export const bitsOf = ({ bytes, elements }: { bytes: number; elements: number }) =>
  elements ? (8 * bytes) / elements : 0;

/** How much stronger the reference is than the difference; Infinity: there is none. */
export const decibelsOf = (nmse: number) => (nmse > 0 ? -10 * Math.log10(nmse) : Infinity);

/** Below which decibels an error has step 1 to 7: between what 8, 6, 5, 4, 3 and 2 bits leave, about. */
export const ERROR_BOUNDS: readonly number[] = [50, 42, 34, 27, 22, 17, 11];

export function errorLevel(nmse: number): number {
  const decibels = decibelsOf(nmse);
  return ERROR_BOUNDS.filter((bound) => decibels < bound).length;
}

/** How high the bar of an error is, of 1: from 60 decibels, where it is nothing, to 0. */
export const errorHeight = (nmse: number) => Math.max(0, Math.min(1 - decibelsOf(nmse) / 60, 1));

export type Column = "name" | "format" | "bytes" | "error";
export interface Order {
  by: Column;
  descending: boolean;
}

/** The tensors that have all words in their name or format, in this order; without one, and of equals, in the file's. */
export function listed(
  tensors: readonly Tensor[],
  pairs: ReadonlyMap<string, Pair>,
  filter: string,
  order: Order | null,
): Tensor[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = tensors.filter(({ name, format }) => {
    const text = `${name} ${format}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (!order) return found;
  const { by, descending } = order;
  const errorOf = ({ name }: Tensor) => pairs.get(name)?.nmse ?? -1; // what was not compared is last
  const compare = {
    // Numbers in names as numbers: blk.2 before blk.10.
    name: (a: Tensor, b: Tensor) => names.compare(a.name, b.name),
    format: (a: Tensor, b: Tensor) => names.compare(a.format, b.format),
    bytes: (a: Tensor, b: Tensor) => a.bytes - b.bytes,
    error: (a: Tensor, b: Tensor) => errorOf(a) - errorOf(b),
  }[by];
  return found.sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
}

const names = new Intl.Collator("en", { numeric: true });
