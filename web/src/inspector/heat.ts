// How warm a token is: eight steps, each from a bound on. They are the same for every reply, so that two can be compared;
// time alone is measured by the reply's own median.

import type { Token } from "../api/inspector.ts";

export type Measure = "entropy" | "probability" | "time";
export const MEASURES: readonly Measure[] = ["entropy", "probability", "time"];
export const LEVELS = 8;

/** Where steps 1 to 7 begin. */
export const BOUNDS: Record<Measure, readonly number[]> = {
  entropy: [0.25, 0.5, 1, 1.5, 2.5, 3.5, 5], // bits
  probability: [0.95, 0.8, 0.6, 0.4, 0.2, 0.08, 0.02], // the less likely the warmer
  time: [1.15, 1.3, 1.5, 2, 3, 5, 8], // times the median
};

const valueOf = (measure: Measure, token: Token, median: number) =>
  measure === "entropy"
    ? token.entropy
    : measure === "probability"
      ? Math.exp(token.logprob)
      : token.ms / (median || 1);

export function levelOf(measure: Measure, token: Token, median: number): number {
  const bounds = BOUNDS[measure];
  const value = valueOf(measure, token, median);
  let level = 0;
  while (level < bounds.length && (measure === "probability" ? value < bounds[level]! : value >= bounds[level]!))
    ++level;
  return level;
}

/** How high its bar is, of 1: in proportion, up to where the last step begins and a little beyond. */
export function heightOf(measure: Measure, token: Token, median: number): number {
  const value = valueOf(measure, token, median);
  const last = BOUNDS[measure].at(-1)!;
  const share = measure === "probability" ? Math.log(Math.max(value, 1e-9)) / Math.log(last) : value / last;
  return Math.max(0, Math.min(share / 1.2, 1));
}

/** 0 to 7 of a share of 1, for shades; small shares are told apart better than large ones. */
export function shade(share: number): number {
  return Math.max(0, Math.min(LEVELS - 1, Math.round(Math.sqrt(Math.max(share, 0)) * (LEVELS - 1))));
}

export function medianOf(values: readonly number[]): number {
  if (!values.length) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Summary {
  tokens: number;
  entropy: number; // mean, bits
  perplexity: number;
  ms: number; // median
  guessed: number;
}

export function summaryOf(tokens: readonly Token[]): Summary {
  let entropy = 0;
  let surprise = 0;
  let guessed = 0;
  for (const token of tokens) {
    entropy += token.entropy;
    surprise -= token.logprob;
    if (token.guessed) ++guessed;
  }
  const n = tokens.length || 1;
  return {
    tokens: tokens.length,
    entropy: entropy / n,
    perplexity: Math.exp(surprise / n),
    ms: medianOf(tokens.map((token) => token.ms)),
    guessed,
  };
}
