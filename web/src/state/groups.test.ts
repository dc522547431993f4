import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../api/types.ts";
import { daysBetween, groupByDate } from "./groups.ts";

const now = new Date(2026, 10, 27, 0, 14).getTime();
let lastId = 0;

function summary(updated: Date, changes: Partial<Summary> = {}): Summary {
  return {
    id: ++lastId,
    title: "",
    folder: null,
    pinned: false,
    temporary: false,
    model: null,
    system: "",
    parameters: {},
    leaf: null,
    size: 0,
    created: 0,
    updated: updated.getTime(),
    changed: 1,
    writing: false,
    ...changes,
  };
}

test("days are counted by midnights", () => {
  assert.equal(daysBetween(new Date(2026, 10, 26, 23, 59).getTime(), now), 1);
  assert.equal(daysBetween(new Date(2026, 10, 27, 0, 1).getTime(), now), 0);
  assert.equal(daysBetween(new Date(2026, 2, 1).getTime(), new Date(2026, 3, 1).getTime()), 31);
});

test("groups come in order and leave out those that are empty", () => {
  const groups = groupByDate(
    [
      summary(new Date(2025, 5, 1)),
      summary(new Date(2026, 10, 26, 23)),
      summary(new Date(2026, 10, 27, 0, 1)),
      summary(new Date(2026, 10, 20)),
      summary(new Date(2026, 10, 1)),
      summary(new Date(2026, 3, 1)),
      summary(new Date(2024, 3, 1)),
      summary(new Date(2026, 3, 1), { pinned: true }),
      summary(new Date(2026, 3, 1), { temporary: true }),
    ],
    now,
  );
  assert.deepEqual(
    groups.map((group) => group.year ?? group.name),
    ["pinned", "temporary", "today", "yesterday", "week", "month", "older", 2025, 2024],
  );
});

test("within a group the latest comes first", () => {
  const [group] = groupByDate([summary(new Date(2026, 10, 27, 0, 1)), summary(new Date(2026, 10, 27, 0, 9))], now);
  assert.deepEqual(
    group!.conversations.map((each) => new Date(each.updated).getMinutes()),
    [9, 1],
  );
});

test("a clock that runs ahead on the server is today", () => {
  assert.equal(groupByDate([summary(new Date(2026, 10, 28))], now)[0]!.name, "today");
});
