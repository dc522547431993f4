// What belongs to no conversation: folders, presets, the server's models.

import { computed, signal } from "@preact/signals";
import { getState, listFolders, listPresets } from "../api/routes.ts";
import type { Folder, Preset, State } from "../api/types.ts";

export const folders = signal<readonly Folder[]>([]);
export const presets = signal<readonly Preset[]>([]);
export const server = signal<State | null>(null);

export const defaultModel = computed(() => server.value?.default_model ?? null);

export async function refreshFolders() {
  folders.value = (await listFolders()).folders;
}

export async function refreshPresets() {
  presets.value = (await listPresets()).presets;
}

let waiting: ReturnType<typeof setTimeout> | undefined;

export async function refreshServer() {
  clearTimeout(waiting);
  server.value = await getState();
  // A model that is being loaded tells nobody when it is there.
  if (!server.value.ready) waiting = setTimeout(() => void refreshServer().catch(() => {}), 1_000);
}
