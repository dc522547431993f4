import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, parseRoute } from "./route.ts";

test("an address gives the page that gave it", () => {
  for (const hash of ["#/", "#/c/12", "#/c/12/m/34", "#/models", "#/settings", "#/inspect", "#/c/12/inspect"])
    assert.equal(addressOf(parseRoute(hash)), hash);
  assert.equal(addressOf(parseRoute("#/c/12/inspect/34")), "#/c/12/inspect/34");
});

test("the inspector is open where the address says so", () => {
  assert.deepEqual(parseRoute("#/inspect"), { page: "chat", conversation: null, inspect: "newest" });
  assert.deepEqual(parseRoute("#/c/12/inspect/34"), { page: "chat", conversation: 12, inspect: 34 });
  assert.deepEqual(parseRoute("#/c/12/m/34"), { page: "chat", conversation: 12, message: 34 });
});

test("an address that is none is a new chat", () => {
  for (const hash of ["", "#/c/", "#/c/x/inspect", "#/inspect/x", "#/c/1/inspect/"])
    assert.deepEqual(parseRoute(hash), { page: "chat", conversation: null });
});
