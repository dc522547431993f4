// What the server's /app routes give and take; the routes themselves are in routes.ts.
// Times are milliseconds since 1970 (UTC). Errors of every route:
// {error: {message, type, param, code}} with a status >= 400.

/** Sampling of one conversation or preset; what is left out is the model's own default. */
export interface Parameters {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  repeat_penalty?: number;
  max_tokens?: number;
  seed?: number;
  /** Whether the model thinks first, where its template knows how. */
  thinking?: boolean;
}

/** A conversation as lists show it. */
export interface Summary {
  id: number;
  title: string;
  folder: number | null;
  pinned: boolean;
  /** Kept in memory only, until the server ends or it is deleted. */
  temporary: boolean;
  model: string | null; // null: the server's default
  system: string;
  parameters: Parameters;
  /** The message that ends the branch shown last. */
  leaf: number | null;
  /** How many messages it has, on all branches. */
  size: number;
  created: number;
  updated: number;
  /** Grows with every change anywhere; a later state of the same conversation has a larger one. */
  changed: number;
  /** A reply is being written. */
  writing: boolean;
}

export interface Attachment {
  id: number;
  name: string;
  bytes: number;
  /** Characters of text that the model is given. */
  characters: number;
}

/** How a reply came to be. Tokens per second: predicted_per_second. */
export interface Report {
  finish: "stop" | "length" | "cancelled";
  context_length: number;
  prompt_n: number; // computed
  cache_n: number; // reused
  predicted_n: number;
  queue_ms: number;
  prompt_ms: number;
  prompt_per_second: number;
  predicted_ms: number;
  predicted_per_second: number;
  device: string;
  isa: string;
  threads: number;
  /** What did not fit into the context and was left out. */
  dropped?: { policy: string; messages: number; tokens: number };
}

export interface Message {
  id: number;
  /** null: it begins the conversation. Messages with the same parent are branches, in the order of their ids. */
  parent: number | null;
  role: "user" | "assistant" | "tool";
  content: string;
  reasoning: string;
  /** stopped: by the person. interrupted: the process that wrote it ended. failed: see error. */
  state: "complete" | "writing" | "stopped" | "interrupted" | "failed";
  error: string | null;
  model: string | null;
  report: Report | null;
  attachments: Attachment[];
  created: number;
  updated: number;
}

/** GET /app/conversations/{id}[?since=changed] */
export interface Conversation extends Summary {
  /** With ?since: only those that changed after it, unless `whole`. A writing one has what is there so far. */
  messages: Message[];
  /** These are all its messages: what is not among them is gone. */
  whole: boolean;
}

export interface Folder {
  id: number;
  name: string;
}
export interface Preset {
  id: number;
  name: string;
  system: string;
  parameters: Parameters;
}

export interface SearchResult {
  conversation: number;
  title: string;
  message: number | null; // null: the title matches
  role: "user" | "assistant" | "tool" | null;
  created: number;
  snippet: { text: string; match: boolean }[];
}

/** How long conversations are kept. `too_old`: how many would be deleted with what was asked for. */
export interface Retention {
  days: number; // 0: forever
  fixed: boolean; // whoever started the server has decided
  too_old: number;
}

export interface ServedModel {
  name: string;
  bytes: number;
  loaded: boolean;
  context_length: number | null; // of a loaded one
}
export interface State {
  version: string;
  ready: boolean; // false: the default model is being loaded
  default_model: string | null;
  models: ServedModel[];
  /** The page of the first run has been seen. */
  welcomed: boolean;
}

/** GET /app/events: text/event-stream, each `data:` one of these; lines that begin with ':' are pings. */
export type Event =
  | { type: "hello"; changed: number; version: string }
  /** Something in it changed: fetch /app/conversations/{id}?since=… where it is open. */
  | { type: "conversation"; conversation: Summary }
  | { type: "deleted"; id: number }
  /** More of a reply in progress. `at`: UTF-16 code units of that text before this piece. Where `at` is beyond what is
   *  there, a piece was missed: fetch the conversation. */
  | { type: "delta"; conversation: number; message: number; part: "content" | "reasoning"; at: number; text: string }
  | { type: "folders" } // fetch them again
  | { type: "presets" }
  | { type: "models" } // which there are, or which are in memory
  | { type: "pull"; pull: Pull } // how far a download is; `done` and `cancelled` are its last
  /** Replies can't be saved for now, and why; null: they can again. */
  | { type: "trouble"; message: string | null }
  /** More happened than can be told: fetch everything again. */
  | { type: "reset" };

/** Tokens per second as predicted: most measurements lie between `least` and `most`. */
export interface SpeedRange {
  expected: number;
  least: number;
  most: number;
}
/** The median of the last answers. */
export interface MeasuredSpeed {
  tokens_per_second: number;
  runs: number;
}
export interface Licence {
  name: string;
  url: string;
  notes: string;
  acceptance: string; // to be shown before it is fetched; empty: nothing
}
/** Where a model's memory goes. */
export interface MemoryNeeds {
  weight_bytes: number;
  streamed_bytes: number; // read from disk for each token
  state_bytes: number;
  working_bytes: number;
  other_bytes: number;
  total_bytes: number;
  context_length: number;
  longest_context_length: number;
}
/** One of GET /app/catalogue: of the catalogue, or stored, or both. */
export interface CatalogueModel {
  name: string;
  description: string;
  architecture: string;
  parameters: number | null;
  quantisation: string;
  chat: boolean;
  trained_context_length: number | null;
  licence: Licence | null; // null: it is not of the catalogue
  bytes: number;
  partial_bytes: number; // of an unfinished download
  memory: MemoryNeeds | null;
  estimated_bytes: number | null;
  fits: boolean | null;
  speed: { decode_tps: SpeedRange; prefill_tps: SpeedRange; depth: number; prompt: number } | null;
  stored: boolean;
  default: boolean;
  loaded: boolean;
  answering: boolean;
  context_length: number | null; // of a loaded one
  measured: { decode_tps: MeasuredSpeed | null; prefill_tps: MeasuredSpeed | null };
}
export interface Pull {
  model: string;
  state: "waiting" | "running" | "paused" | "failed" | "done" | "cancelled";
  stage: string;
  bytes_done: number;
  bytes_total: number;
  bytes_per_second: number;
  error: string | null;
}
/** GET /app/catalogue[?context=N] */
export interface Catalogue {
  context: number | null;
  free_bytes: number;
  disk_free_bytes: number | null;
  offline: string | null; // why nothing can be fetched
  engine: boolean; // false: no model can be loaded
  measuring: boolean; // speeds are told when that is over
  recommended: string | null;
  models: CatalogueModel[];
  pulls: Pull[];
}

/** GET /app/hardware */
export interface Hardware {
  machine: {
    processor: string;
    hardware_threads: number;
    cores: { count: number; speed: number }[];
    allowed_cpu_time: number | null;
    default_threads: number;
    memory_bytes: number;
    free_memory_bytes: number;
    instruction_sets: { name: string; works: boolean; chosen: boolean; note: string }[];
  };
  accelerators: { driver: string | null; used: boolean }[];
  confined: boolean;
  confinement: { what: string; enforced: boolean; by: string }[];
  profile: { name: string; reason: string };
  modules: { name: string; title: string; on: boolean; why: string; means: string }[];
  store_folder: string;
  data_folder: string;
  bytes_per_second: number | null;
  measuring: boolean;
  seen: boolean;
  recommended: { model: string; why: string } | null;
}
