// What a model's file consists of, and what its numbers are: the routes of the inspector's model view. Loaded with the
// inspector alone, as inspector.ts.

import { request } from "./client.ts";
import { readEvents } from "./events.ts";
import { modelPath } from "./routes.ts";

export interface Tensor {
  name: string;
  format: string;
  dims: number[]; // the first is the contiguous one: the columns of a matrix
  elements: number;
  bytes: number;
}

export type OpKind =
  "embed" | "rms_norm" | "layer_norm" | "matmul" | "attention" | "add" | "gate" | "activate" | "scale" | "output_rows";

export interface Op {
  id: number;
  op: OpKind;
  /** Of its value, as GGUF names tensors: "blk.0.attn_q"; may be empty. */
  name: string;
  width: number;
  /** Ids of operations, also of earlier blocks. */
  inputs: number[];
  weights: { role: "matrix" | "vector" | "bias" | "q_norm" | "k_norm"; tensor: string }[];
  attention?: {
    heads: number;
    kv_heads: number;
    head_dim: number;
    window: number; // 0: all positions
    softcap: number;
    rope: boolean;
    bidirectional: boolean;
  };
  activation?: string;
  factor?: number;
  cap?: number;
}

export interface Block {
  kind: "input" | "layer" | "output";
  layer?: number;
  /** The first layer with the same operations, sizes and attention; number formats may differ. */
  like?: number;
  ops: Op[];
}

/** GET /app/models/{model}/anatomy */
export interface Anatomy {
  model: string;
  container: string;
  architecture: string;
  parameters: number;
  tensor_bytes: number;
  /** Where the architecture is known. */
  config?: {
    width: number;
    layers: number;
    heads: number;
    kv_heads: number;
    head_dim: number;
    feed_forward: number;
    vocabulary_size: number;
    trained_context: number;
    window: number; // 0: none
    norm_epsilon: number;
    rope_base: number;
  };
  formats: { name: string; tensors: number; elements: number; bytes: number }[]; // most bytes first
  tensors: Tensor[];
  blocks: Block[];
  /** Why there are no blocks. */
  reason?: string;
}

/** GET /app/models/{model}/statistics?tensor=NAME */
export interface Statistics {
  tensor: string;
  format: string;
  elements: number;
  finite: number;
  zeros: number;
  min: number;
  max: number;
  mean: number;
  deviation: number;
  histogram: number[]; // counts over equal steps from min to max
}

/** How far one tensor is from the same one of another file. */
export interface Pair {
  tensor: string;
  reference: string;
  format: string;
  reference_format: string;
  elements: number;
  nmse: number; // sum (model - reference)^2 / sum reference^2; Infinity: the reference is all zero
  rms: number;
  max_error: number;
  cosine: number;
  /** Numbers that are left out, for one of the two is not finite. */
  not_finite?: number;
}

export type ComparisonEvent =
  | ({ type: "pair"; done: number } & Pair)
  | { type: "end"; pairs: number; nmse: number; unpaired: string[] }
  | { type: "error"; message: string };

export const getAnatomy = (model: string, signal: AbortSignal) =>
  request<Anatomy>("GET", `${modelPath(model)}/anatomy`, { signal });
export const getStatistics = (model: string, tensor: string, signal: AbortSignal) =>
  request<Statistics>("GET", `${modelPath(model)}/statistics?tensor=${encodeURIComponent(tensor)}`, { signal });

/** Compares tensor by tensor until all are, or `ending` is aborted: then the server stops, too. */
export const compareModels = (
  model: string,
  reference: string,
  ending: AbortSignal,
  each: (event: ComparisonEvent) => void,
) =>
  readEvents<ComparisonEvent>(
    `${modelPath(model)}/comparison?reference=${encodeURIComponent(reference)}`,
    ending,
    // JSON has no infinity.
    (event) => each("nmse" in event ? { ...event, nmse: event.nmse ?? Infinity } : event),
  );
