// Many values in few places.

/** The largest of each of `count` equal stretches; fewer values than that are drawn out. */
export function largestIn(values: readonly number[], count: number): number[] {
  const bins = new Array<number>(count).fill(0);
  for (let bin = 0; bin < count; ++bin) {
    const from = Math.floor((bin * values.length) / count);
    const to = Math.max(Math.ceil(((bin + 1) * values.length) / count), from + 1);
    for (let i = from; i < Math.min(to, values.length); ++i) bins[bin] = Math.max(bins[bin]!, values[i]!);
  }
  return bins;
}

/** Where the largest are, the largest first. */
export function largestOf(values: readonly number[], count: number): number[] {
  return values
    .map((value, i) => ({ value, i }))
    .sort((a, b) => b.value - a.value || a.i - b.i)
    .slice(0, count)
    .map(({ i }) => i);
}

export function meanOf(rows: readonly (readonly number[])[]): number[] {
  const first = rows[0];
  if (!first) return [];
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length);
}

/** A round number at or above, for the end of an axis: 1, 2, 5 or 10 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5]) if (value <= step * power * (1 + 1e-9)) return step * power;
  return 10 * power;
}
