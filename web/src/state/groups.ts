// The sidebar's groups: what is pinned, then by the day of the last change, seen from the person's own clock.

import type { Summary } from "../api/types.ts";

export type GroupName = "pinned" | "temporary" | "today" | "yesterday" | "week" | "month" | "year" | "older";

export interface Group {
  /** `year`: see the number. */
  name: GroupName;
  year?: number;
  conversations: Summary[];
}

const DAY = 24 * 60 * 60 * 1000;

export function startOfDay(time: number): number {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** How many midnights lie between; days that are an hour shorter or longer count as days. */
export function daysBetween(earlier: number, later: number): number {
  return Math.round((startOfDay(later) - startOfDay(earlier)) / DAY);
}

export function groupOf(summary: Summary, now: number): { name: GroupName; year?: number } {
  if (summary.pinned) return { name: "pinned" };
  if (summary.temporary) return { name: "temporary" };
  const days = daysBetween(summary.updated, now);
  if (days <= 0) return { name: "today" };
  if (days === 1) return { name: "yesterday" };
  if (days <= 7) return { name: "week" };
  if (days <= 30) return { name: "month" };
  const year = new Date(summary.updated).getFullYear();
  return year === new Date(now).getFullYear() ? { name: "older" } : { name: "year", year };
}

const ORDER: GroupName[] = ["pinned", "temporary", "today", "yesterday", "week", "month", "older", "year"];

/** The groups that have conversations, each with the latest first. */
export function groupByDate(conversations: Iterable<Summary>, now: number): Group[] {
  const groups = new Map<string, Group>();
  for (const summary of [...conversations].sort((a, b) => b.updated - a.updated)) {
    const { name, year } = groupOf(summary, now);
    const key = `${name}${year ?? ""}`;
    const group = groups.get(key);
    if (group) group.conversations.push(summary);
    else groups.set(key, { name, ...(year === undefined ? {} : { year }), conversations: [summary] });
  }
  return [...groups.values()].sort(
    (a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name) || (b.year ?? 0) - (a.year ?? 0),
  );
}
