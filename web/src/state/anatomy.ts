// What the model view is about: a model, something of it that is picked, and how it compares with another one.

import { computed, signal } from "@preact/signals";
import { type ComparisonEvent, compareModels, type Pair } from "../api/anatomy.ts";
import { ApiError } from "../api/client.ts";
import type { Index } from "../inspector/anatomy.ts";
import { server } from "./library.ts";
import { shown } from "./inspector.ts";

export interface Comparison {
  model: string;
  reference: string;
  state: "running" | "done" | "stopped" | "failed";
  /** In the graph's order, by the model's tensor. */
  pairs: ReadonlyMap<string, Pair>;
  done: number; // of 1
  /** Over all pairs, and the tensors that have no partner: when it is done. */
  nmse: number | null;
  unpaired: readonly string[];
  problem: string | null;
}

export interface Picked {
  op: number | null;
  tensor: string | null;
}

const chosenModel = signal<string | null>(null);
export const picked = signal<Picked | null>(null);
/** By the first layer of its kind: the layer that is drawn. */
export const drawnLayers = signal<ReadonlyMap<number, number>>(new Map());
export const comparison = signal<Comparison | null>(null);

/** The model that is looked at: the chosen one, or the one that is in use. */
export const subject = computed<string | null>(() => {
  const models = server.value?.models ?? [];
  const first = [
    chosenModel.value,
    shown.value?.head.value.model,
    models.find((each) => each.loaded)?.name,
    server.value?.default_model,
  ].find((name) => models.some((each) => each.name === name));
  return first ?? models[0]?.name ?? null;
});

export function chooseModel(name: string) {
  chosenModel.value = name;
}

let about: string | null = null;

/** What was picked and compared of another model is forgotten; of the same one, it is there again. */
export function lookAt(model: string | null) {
  if (model === about) return;
  about = model;
  stopComparing();
  comparison.value = null;
  picked.value = null;
  drawnLayers.value = new Map();
}

/** With the first operation that uses it, whose layer is drawn then. */
export function pickTensor(tensor: string, index: Index) {
  const use = index.uses.get(tensor)?.[0];
  const { layer, like } = use?.block ?? {};
  if (layer !== undefined && like !== undefined) drawnLayers.value = new Map(drawnLayers.peek()).set(like, layer);
  picked.value = { op: use?.op.id ?? null, tensor };
}

let ending: AbortController | null = null;
let arrived: ComparisonEvent[] = [];
let frame = 0;

export async function compare(model: string, reference: string) {
  stopComparing();
  const mine = (ending = new AbortController());
  comparison.value = {
    model,
    reference,
    state: "running",
    pairs: new Map(),
    done: 0,
    nmse: null,
    unpaired: [],
    problem: null,
  };
  let problem: string | null = null;
  try {
    await compareModels(model, reference, mine.signal, (event) => {
      if (mine.signal.aborted) return;
      arrived.push(event);
      frame ||= requestAnimationFrame(take);
    });
  } catch (error) {
    problem = (error as Error).message;
  }
  if (mine.signal.aborted) return;
  take();
  // What neither ended nor failed broke off.
  if (comparison.peek()?.state === "running")
    fail(problem ?? new ApiError(0, "The answer of the server broke off.").message);
}

/** Small tensors come faster than the screen is drawn: they are put in once a frame. */
function take() {
  cancelAnimationFrame(frame);
  frame = 0;
  const events = arrived;
  arrived = [];
  const before = comparison.peek();
  if (!before || !events.length) return;
  const pairs = new Map(before.pairs);
  let next: Comparison = { ...before, pairs };
  for (const event of events) {
    if (event.type === "pair") {
      pairs.set(event.tensor, event);
      next.done = event.done;
    } else if (event.type === "end")
      next = { ...next, state: "done", done: 1, nmse: event.nmse, unpaired: event.unpaired };
    else next = { ...next, state: "failed", problem: event.message };
  }
  comparison.value = next;
}

function fail(problem: string) {
  comparison.value = { ...comparison.peek()!, state: "failed", problem };
}

/** The server stops, too. What has been found stays. */
export function stopComparing() {
  ending?.abort();
  ending = null;
  take();
  const now = comparison.peek();
  if (now?.state === "running") comparison.value = { ...now, state: "stopped" };
}
