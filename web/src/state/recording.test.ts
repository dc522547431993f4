import assert from "node:assert/strict";
import { test } from "node:test";
import type { Recording, Token } from "../api/inspector.ts";
import { Reply } from "./recording.ts";

const token = (id: number) => ({ id, text: String(id) }) as Token;
const reply = (...ids: number[]) => new Reply({ message: 12, tokens: ids.map(token) } as Recording);
const ids = (of: Reply) => of.tokens.map(({ id }) => id);

test("tokens are added where they belong", () => {
  const growing = reply();
  assert.equal(growing.id, 12);
  assert.ok(growing.add(0, [token(1), token(2)]));
  assert.ok(growing.add(2, [token(3)]));
  assert.deepEqual(ids(growing), [1, 2, 3]);
  assert.equal(growing.count.value, 3);
});

test("what is there already is not added again", () => {
  const growing = reply(1, 2, 3);
  assert.ok(growing.add(1, [token(2), token(3), token(4)]));
  assert.deepEqual(ids(growing), [1, 2, 3, 4]);
  assert.ok(growing.add(0, [token(1)]));
  assert.deepEqual(ids(growing), [1, 2, 3, 4]);
});

test("a gap is noticed", () => {
  const growing = reply(1);
  assert.equal(growing.add(2, [token(3)]), false);
  assert.deepEqual(ids(growing), [1]);
  assert.equal(growing.count.value, 1);
});
