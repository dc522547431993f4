// What was found of this machine, and the page of the first run.

import { effect, signal } from "@preact/signals";
import { getHardware, setWelcomed } from "../api/routes.ts";
import type { Hardware } from "../api/types.ts";
import { listed, summaries } from "./conversations.ts";
import { server } from "./library.ts";
import { go, route } from "./route.ts";

export const hardware = signal<Hardware | null>(null);
/** The model that is being fetched or loaded to begin with. */
export const beginningWith = signal<string | null>(null);

export async function refreshHardware() {
  hardware.value = await getHardware();
}

/** Opens the page where nobody has seen it and nothing has been said yet. Once: who leaves it does not want it. */
export function welcomeFirst() {
  const end = effect(() => {
    if (!server.value || !listed.value) return;
    const first = !server.value.welcomed && summaries.value.size === 0;
    const at = route.peek();
    if (first && at.page === "chat" && at.conversation === null) go({ page: "machine" }, true);
    queueMicrotask(() => end());
  });
}

export function markWelcomed() {
  const state = server.peek();
  if (!state || state.welcomed) return;
  server.value = { ...state, welcomed: true };
  void setWelcomed().catch(() => {}); // it opens once more, then
}
