import assert from "node:assert/strict";
import { test } from "node:test";
import { dictionaries, type Key, phrase, type Plural } from "./index.ts";

const languages = Object.keys(dictionaries) as (keyof typeof dictionaries)[];
const keys = Object.keys(dictionaries.en) as Key[];

const forms = (entry: string | Plural): string[] => (typeof entry === "string" ? [entry] : Object.values(entry));
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

test("every language has every phrase, and no other", () => {
  for (const language of languages) assert.deepEqual(Object.keys(dictionaries[language]).sort(), [...keys].sort());
});

test("a phrase names the same values in every language", () => {
  for (const key of keys) {
    const wanted = names(forms(dictionaries.en[key])[0]!);
    for (const language of languages) {
      for (const form of forms(dictionaries[language][key]))
        assert.deepEqual(names(form), wanted, `${language} ${key}`);
    }
  }
});

test("no phrase is empty or has stray spaces", () => {
  for (const language of languages) {
    for (const key of keys) {
      for (const form of forms(dictionaries[language][key])) {
        assert.ok(form.trim() === form && form !== "", `${language} ${key}`);
      }
    }
  }
});

test("values and plurals are put in", () => {
  assert.equal(phrase("en", "report.tokens", { n: 1 }), "1 token");
  assert.equal(phrase("en", "report.tokens", { n: 12345 }), "12,345 tokens");
  assert.equal(phrase("zh", "report.tokens", { n: 1 }), "1 个词元");
  assert.equal(phrase("en", "folders.move", { name: "{n} $& <b>" }), "Move to {n} $& <b>");
});
