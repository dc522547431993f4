import assert from "node:assert/strict";
import { test } from "node:test";
import { aloneOf, hexOf, partsOf, plainOf, shownOf } from "./pieces.ts";

test("what does not print is named", () => {
  assert.deepEqual(partsOf("a\tb"), [
    { text: "a", mark: false },
    { text: "⇥", mark: true },
    { text: "b", mark: false },
  ]);
  assert.deepEqual(partsOf("\u0000\u200b\u202e"), [
    { text: "U+0000", mark: true },
    { text: "U+200B", mark: true },
    { text: "U+202E", mark: true },
  ]);
  assert.deepEqual(partsOf("plain é 中 🔥"), [{ text: "plain é 中 🔥", mark: false }]);
});

test("lines end after their mark where they are asked to", () => {
  assert.deepEqual(
    partsOf("a\n", true).map(({ text }) => text),
    ["a", "⏎", "\n"],
  );
  assert.deepEqual(
    partsOf("a\n").map(({ text }) => text),
    ["a", "⏎"],
  );
});

test("a token alone shows the spaces at its ends", () => {
  assert.equal(plainOf(" the"), "␣the");
  assert.equal(plainOf("  "), "␣␣");
  assert.equal(plainOf("a b "), "a b␣");
  assert.equal(plainOf("\n\n"), "⏎⏎");
  assert.equal(plainOf(" \n"), "␣⏎");
  assert.deepEqual(aloneOf(""), []);
});

test("a character of several tokens is shown where it begins", () => {
  const fire = [...new TextEncoder().encode("🔥")];
  const tokens = [
    { text: "a" },
    { text: "\ufffd", bytes: fire.slice(0, 2) },
    { text: "\ufffd", bytes: fire.slice(2, 3) },
    { text: "\ufffd!", bytes: [fire[3]!, 33] },
    { text: "b" },
  ];
  assert.deepEqual(shownOf(tokens), [
    { text: "a" },
    { text: "🔥" },
    { text: "", goesOn: true },
    { text: "!", goesOn: true },
    { text: "b" },
  ]);
});

test("bytes that make no character are shown as bytes", () => {
  assert.deepEqual(shownOf([{ text: "\ufffd", bytes: [0xf0, 0x9f] }]), [{ text: "F09F", broken: true }]);
  assert.deepEqual(shownOf([{ text: "\ufffdx", bytes: [0x80, 0x78] }, { text: "y" }]), [
    { text: "80x", broken: true },
    { text: "y" },
  ]);
  assert.deepEqual(shownOf([]), []);
  // Not the shortest form, a surrogate, beyond Unicode.
  for (const bytes of [
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ])
    assert.equal(shownOf([{ text: "\ufffd", bytes }])[0]!.broken, true);
});

test("bytes are written in hexadecimal", () => {
  assert.equal(hexOf([0, 10, 255]), "00 0A FF");
});
