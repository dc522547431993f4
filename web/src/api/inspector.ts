// The inspector's routes and what they give. Apart from routes.ts, for they are loaded with the inspector alone.
// What is recorded of a reply is recorded in the pass that writes it, while some page holds the stream open; the server
// keeps the latest 8 replies' in memory.

import { request, send } from "./client.ts";
import { followStream } from "./events.ts";

/** A token's text; `bytes` where that is not whole UTF-8, then the text has U+FFFD. */
export interface Spelled {
  id: number;
  text: string;
  bytes?: number[];
}

export interface Piece extends Spelled {
  special?: boolean;
}

export interface Step {
  step: string;
  /** Tokens that the step left. */
  left: number;
  /** Of the chosen token, after the step. */
  probability: number;
}

/** A generated token. Probabilities are the model's own, before sampling. */
export interface Token extends Spelled {
  logprob: number; // natural
  rank: number; // 0: the likeliest
  entropy: number; // bits
  top: (Spelled & { logprob: number })[];
  steps: Step[];
  /** How many tokens the grammar allowed here. */
  allowed: number | null;
  /** Of the pass that computed it, with what was computed along. */
  ms: number;
  rows: number;
  sequences: number;
  /** Computed ahead by prompt lookup, and right. */
  guessed: boolean;
}

export interface Recording {
  message: number;
  conversation: number;
  model: string;
  architecture: string;
  layers: number;
  heads: number;
  kv_heads: number;
  width: number;
  context_length: number;
  prompt: Piece[];
  cached_tokens: number | null;
  /** Only what is on. */
  sampling: Record<string, unknown>;
  grammar: boolean;
  /** The first generated token whose layers are kept. */
  layers_from: number | null;
  timeline: boolean;
  tokens?: Token[];
  finish: "stop" | "length" | "cancelled" | "error" | null;
  error: string | null;
  timings: Record<string, number> | null;
  /** What recording cost of the reply's time, in all. */
  observing_ms: number;
}

export interface Device {
  time: number; // seconds since 1970
  cpu: { cores: number; machine: number; ingle: number };
  memory: { total: number; available: number; server: number; engines: { model: string; bytes: number | null }[] };
  pressure: { cpu: number; memory: number; io: number } | null;
  models: {
    model: string;
    running: number;
    waiting: number;
    tokens_per_second: number;
    state_bytes: number;
    state_limit_bytes: number;
    kept_prefixes: number;
    pace: { threads: number; reasons: string[] };
  }[];
}

export interface LensLayer {
  name: string;
  entropy: number;
  probability: number; // of the token that was chosen, as its rank
  rank: number;
  top: (Spelled & { probability: number })[];
}
export interface Lens {
  token: number;
  layers: LensLayer[];
}

export interface Attention {
  token: number;
  layer: number;
  /** The query's: of the token whose pass chose the one that was asked about. */
  position: number;
  first: number;
  heads: number[][];
}

export interface Buffer {
  name: string;
  offset: number;
  bytes: number;
  first: number;
  last: number;
}
export interface MemoryMap {
  model: string;
  process?: { pid: number; resident_bytes: number; peak_bytes: number };
  weights: { bytes: number; streamed_bytes: number; from: string };
  arena: { bytes: number; steps: number; buffers: Buffer[] };
  state: { window: number; page_bytes: number; page_positions: number; capacity: number; users: number[] }[];
}

export type InspectorEvent =
  | { type: "hello"; replies: number[] }
  | { type: "reply"; reply: Recording }
  | { type: "tokens"; message: number; first: number; tokens: Token[] }
  | {
      type: "end";
      message: number;
      finish: Recording["finish"];
      error: string | null;
      timings: Recording["timings"];
      observing_ms: number;
    }
  | { type: "device"; device: Device };

export interface Watch {
  layers: boolean;
  timeline: boolean;
}

/** The stream, held open until the returned function is called. */
export const followInspector = (
  { layers, timeline }: Watch,
  listener: { event(event: InspectorEvent): void; lost(): void },
) => followStream<InspectorEvent>(`/app/inspector?layers=${layers}&timeline=${timeline}`, listener);

export const getRecording = (message: number) => request<Recording>("GET", `/app/inspector/${message}`);
export const getLens = (message: number, token: number, top: number, signal: AbortSignal) =>
  request<Lens>("GET", `/app/lens/${message}?token=${token}&top=${top}`, { signal });
export const getAttention = (message: number, token: number, layer: number, signal: AbortSignal) =>
  request<Attention>("GET", `/app/attention/${message}?token=${token}&layer=${layer}`, { signal });
export const getTimeline = async (message: number, signal: AbortSignal) =>
  (await send("GET", `/app/timeline/${message}`, { signal })).blob();
export const getMemory = (model: string | null, signal: AbortSignal) =>
  request<MemoryMap>("GET", `/app/memory${model === null ? "" : `?model=${encodeURIComponent(model)}`}`, { signal });
