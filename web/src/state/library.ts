// What belongs to no conversation: folders, presets, the server's models.

import { computed, signal } from "@preact/signals";
import { getState, listFolders, listPresets } from "../api/routes.ts";
import type { Folder, Preset, State } from "../api/types.ts";
import { Order } from "./order.ts";

export const folders = signal<readonly Folder[]>([]);
export const presets = signal<readonly Preset[]>([]);
export const server = signal<State | null>(null);

export const defaultModel = computed(() => server.value?.default_model ?? null);

export const refreshFolders = newest(listFolders, (told) => (folders.value = told.folders));
export const refreshPresets = newest(listPresets, (told) => (presets.value = told.presets));

let waiting: ReturnType<typeof setTimeout> | undefined;

export const refreshServer = newest(getState, (told) => {
  server.value = told;
  clearTimeout(waiting);
  // A model that is being loaded tells nobody when it is there.
  if (!told.ready) waiting = setTimeout(() => void refreshServer().catch(() => {}), 1_000);
});

/** Asks and shows the answer, unless that to a later question is shown already. */
function newest<T>(ask: () => Promise<T>, show: (told: T) => void): () => Promise<void> {
  const order = new Order();
  return async () => {
    const number = order.next();
    const told = await ask();
    if (order.takes(number)) show(told);
  };
}
