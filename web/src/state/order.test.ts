import assert from "node:assert/strict";
import { test } from "node:test";
import { Order } from "./order.ts";

test("an answer that is older than what is shown is dropped", () => {
  const order = new Order();
  const [first, second, third] = [order.next(), order.next(), order.next()];
  assert.ok(order.takes(second));
  assert.ok(!order.takes(first));
  assert.ok(order.takes(third));
  assert.ok(!order.takes(second));
});
