// What lies over the page: at most one of each.

import { signal } from "@preact/signals";

export type Overlay = "search" | "keys" | "setup";

export const overlay = signal<Overlay | null>(null);
/** An address outside, to be looked at before it is opened. */
export const outsideLink = signal<string | null>(null);
/** The sidebar where it does not fit beside the page. */
export const drawerOpen = signal(false);

export function toggleOverlay(which: Overlay) {
  overlay.value = overlay.peek() === which ? null : which;
}
