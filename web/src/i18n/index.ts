// The interface's words. en.ts says which there are; a language that lacks one, or has one too many, does not compile.
// A phrase with a count has forms by plural category (Intl.PluralRules); {name} in a phrase is replaced.

import { language, type Language } from "../state/settings.ts";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

export type Plural = { readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string };
export type Dictionary = { readonly [key in keyof typeof en]: (typeof en)[key] extends string ? string : Plural };
export type Key = keyof Dictionary;
export type Values = Readonly<Record<string, string | number>>;

export const dictionaries: Record<Language, Dictionary> = { en, zh };

/** The phrase in the person's language. `values.n` chooses the plural form. */
export function t(key: Key, values: Values = {}): string {
  return phrase(language.value, key, values);
}

export function phrase(of: Language, key: Key, values: Values): string {
  const entry: string | Plural = dictionaries[of][key];
  const text = typeof entry === "string" ? entry : (entry[pluralRules(of).select(Number(values["n"]))] ?? entry.other);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? formatNumber(value, of) : value;
  });
}

const LOCALES: Record<Language, string> = { en: "en", zh: "zh-Hans" };
const made = new Map<string, unknown>();

// Intl's objects are slow to make and quick to use.
function once<T>(key: string, make: () => T): T {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as T;
}

const pluralRules = (of: Language) => once(`plural ${of}`, () => new Intl.PluralRules(LOCALES[of]));

export function formatNumber(value: number, of = language.value, digits = 0): string {
  return once(
    `number ${of} ${digits}`,
    () => new Intl.NumberFormat(LOCALES[of], { maximumFractionDigits: digits }),
  ).format(value);
}

/** "80 K", "494 M", "1.5 B" */
export function shortNumber(value: number): string {
  if (value >= 1e9) return `${formatNumber(value / 1e9, undefined, 1)} B`;
  return value >= 1e6 ? `${formatNumber(value / 1e6)} M` : `${formatNumber(value / 1e3)} K`;
}

export function formatBytes(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  const digits = value < 10 && power > 0 ? 1 : 0;
  return once(
    `bytes ${language.value} ${power} ${digits}`,
    () =>
      new Intl.NumberFormat(LOCALES[language.value], {
        style: "unit",
        unit: units[power]!,
        unitDisplay: power ? "short" : "long",
        maximumFractionDigits: digits,
      }),
  ).format(value);
}

export function formatDate(time: number): string {
  return once(
    `date ${language.value}`,
    () => new Intl.DateTimeFormat(LOCALES[language.value], { dateStyle: "medium" }),
  ).format(time);
}

export function formatTime(time: number): string {
  return once(
    `time ${language.value}`,
    () => new Intl.DateTimeFormat(LOCALES[language.value], { dateStyle: "medium", timeStyle: "short" }),
  ).format(time);
}
