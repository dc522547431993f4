import assert from "node:assert/strict";
import { test } from "node:test";
import { spansOf } from "./highlight.ts";
import { append, appendText, type Chunks, lastOf, type Paged, replaceLast } from "./paged.ts";

test("appending shares full pages and never changes the old value", () => {
  let paged: Paged<number> = [];
  for (let i = 0; i < 100; i += 5) {
    const before = paged;
    const copy = before.flat();
    paged = append(paged, [i, i + 1, i + 2, i + 3, i + 4]);
    assert.deepEqual(before.flat(), copy);
    before.slice(0, -1).forEach((page, at) => assert.equal(paged[at], page));
  }
  assert.deepEqual(
    paged.flat(),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.ok(paged.slice(0, -1).every((page) => page.length === paged[0]!.length));
  assert.equal(lastOf(replaceLast(paged, 7)), 7);
  assert.equal(lastOf(paged), 99);
});

test("text is cut at the same places however it arrives, without loss", () => {
  const text = "a line\n".repeat(200) + "x".repeat(9000) + "😀".repeat(6000) + "\n" + "end\n".repeat(70);
  const whole = appendText([], text);
  for (const size of [1, 7, 64, 5000]) {
    let chunks: Chunks = [];
    for (let at = 0; at < text.length; at += size) chunks = appendText(chunks, text.slice(at, at + size));
    assert.deepEqual(chunks, whole, `${size}`);
  }
  assert.equal(whole.join(""), text);
  assert.ok(
    whole.every((chunk) => chunk.length <= 8192 && chunk.split("\n").length <= 65 && !/^[\udc00-\udfff]/.test(chunk)),
  );
});

test("spans are cut where chunks are, and kept if they did not change", () => {
  const span = (name: string, value: string) =>
    ({
      type: "element",
      tagName: "span",
      properties: { className: [name] },
      children: [{ type: "text", value }],
    }) as const;
  const root = {
    type: "root",
    children: [span("k", "if"), { type: "text", value: " a\n" }, span("s", '"b\nc"')],
  } as const;
  const chunks = ["if a\n", '"b\n', 'c"'];
  const first = spansOf(structuredClone(root) as never, chunks, []);
  assert.deepEqual(
    first.map(({ text, spans }) => [text, spans.map((s) => s.text).join(""), spans[0]!.name]),
    [
      ["if a\n", "if a\n", "k"],
      ['"b\n', '"b\n', "s"],
      ['c"', 'c"', "s"],
    ],
  );
  const again = spansOf(structuredClone(root) as never, [...chunks.slice(0, 2), 'c"'], first);
  again.forEach((chunk, i) => assert.equal(chunk, first[i]));
});
