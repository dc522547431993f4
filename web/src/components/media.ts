// What the screen is like, as signals.

import { computed, signal } from "@preact/signals";
import { inspected } from "../state/route.ts";

function matching(query: string) {
  const media = matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener("change", () => (matches.value = media.matches));
  return matches;
}

/** Room for the sidebar beside the page (the same width as in styles/layout.css). */
export const wide = matching("(min-width: 52rem)");
/** Room for the sidebar, the chat and the inspector. */
const veryWide = matching("(min-width: 76rem)");
/** Whether the sidebar stands beside the page rather than over it. */
export const docked = computed(() => (inspected.value === null ? wide.value : veryWide.value));
/** Fingers rather than a mouse: the keyboard on the screen has no Shift+Enter. */
export const touch = matching("(pointer: coarse)");
export const calm = matching("(prefers-reduced-motion: reduce)");
