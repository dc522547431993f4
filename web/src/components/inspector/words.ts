// Quantities as the inspector writes them.

import { formatNumber, t } from "../../i18n/index.ts";
import { decibelsOf } from "../../inspector/anatomy.ts";

/** As many digits as tell something: 97 %, 4.2 %, 0.03 %. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.01) return `<${formatNumber(0.01, undefined, 2)} %`;
  const digits = value >= 99.95 || value === 0 ? 0 : value >= 10 ? 1 : 2;
  return `${formatNumber(value, undefined, digits)} %`;
}

export const milliseconds = (ms: number) => `${formatNumber(ms, undefined, ms < 1 ? 3 : ms < 10 ? 2 : 1)} ms`;

/** From microseconds, in the unit that suits. */
export function duration(us: number): string {
  if (us < 1e3) return `${formatNumber(us, undefined, us < 10 ? 2 : 1)} µs`;
  if (us < 1e6) return milliseconds(us / 1e3);
  return `${formatNumber(us / 1e6, undefined, 2)} s`;
}

export const bits = (value: number) => t("inspector.bits", { n: formatNumber(value, undefined, 2) });
export const rate = (value: number | null) =>
  value === null ? "–" : formatNumber(value, undefined, value < 10 ? 2 : value < 100 ? 1 : 0);

/** Three digits that say something, of whatever size the number is. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return size === Infinity ? "∞" : value.toExponential(2);
  return formatNumber(Number(value.toPrecision(3)), undefined, 8);
}

/** How far an error is below what it is an error of. */
export function decibelWords(nmse: number): string {
  return nmse > 0 ? `${formatNumber(decibelsOf(nmse), undefined, 1)} dB` : t("model.identical");
}
