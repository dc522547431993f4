// Keeps what this page knows in step with the server: follows the events and, after every gap, fetches everything.

import { effect, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { followEvents } from "../api/events.ts";
import type { Event } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { type Delta, openConversation, opened } from "./conversation.ts";
import { dropSummary, listed, refreshConversations, summaries, takeSummary } from "./conversations.ts";
import { folders, presets, refreshFolders, refreshPresets, refreshServer, server } from "./library.ts";
import { welcomeFirst } from "./machine.ts";
import { modelsChanged, takePull } from "./models.ts";
import { notify, notifyError } from "./notices.ts";
import { route } from "./route.ts";
import { session } from "./session.ts";

/** Why replies can't be saved for now. */
export const trouble = signal<string | null>(null);
export const connection = signal<"connecting" | "online" | "offline">("connecting");

/** Follows the server while somebody is signed in. */
export function startSync() {
  effect(() => {
    if (session.value !== "signed-in") return;
    welcomeFirst();
    const end = followEvents({
      event: take,
      lost: () => (connection.value = "offline"),
    });
    return () => {
      end();
      forgetAll();
    };
  });
  effect(() => {
    if (session.value !== "signed-in") openConversation(null);
    else openConversation(route.value.page === "chat" ? route.value.conversation : null);
  });
}

let version: string | null = null;

function take(event: Event) {
  switch (event.type) {
    case "hello":
      connection.value = "online";
      trouble.value = null; // told again where it lasts
      offerReload(event.version);
      return void refreshAll();
    case "reset":
      return void refreshAll();
    case "conversation":
      takeSummary(event.conversation);
      if (opened.peek()?.id === event.conversation.id) void opened.peek()!.refresh();
      return;
    case "deleted":
      return dropSummary(event.id);
    case "delta":
      return queueDelta(event);
    case "folders":
      return void quietly(refreshFolders());
    case "presets":
      return void quietly(refreshPresets());
    case "trouble":
      trouble.value = event.message;
      return;
    case "pull":
      return takePull(event.pull);
    case "models":
      modelsChanged.value++;
      return void quietly(refreshServer());
  }
}

async function refreshAll() {
  await Promise.all([
    quietly(refreshServer()),
    quietly(refreshConversations()),
    quietly(refreshFolders()),
    quietly(refreshPresets()),
    opened.peek()?.refresh(),
  ]);
  modelsChanged.value++;
}

/** A server that is not there says so elsewhere. */
async function quietly(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError) || !(error.unreachable || error.status === 401)) notifyError(error);
  }
}

// The page is part of the server: a newer server has a newer page.
function offerReload(current: string) {
  if (version !== null && version !== current) {
    notify(t("connection.updated", { version: current }), {
      action: { label: t("action.reload"), run: () => location.reload() },
    });
  }
  version = current;
}

function forgetAll() {
  connection.value = "connecting";
  summaries.value = new Map();
  listed.value = false;
  folders.value = [];
  presets.value = [];
  server.value = null;
}

// Pieces may come more often than the screen is drawn: they are put in once a frame. A page that is not shown has no
// frames; there a timer does it.
let queue: Delta[] = [];
let frame = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function queueDelta(delta: Delta) {
  if (opened.peek()?.id !== delta.conversation) return;
  queue.push(delta);
  if (queue.length > 1) return;
  frame = requestAnimationFrame(flushDeltas);
  timer = setTimeout(flushDeltas, 250);
}

function flushDeltas() {
  cancelAnimationFrame(frame);
  clearTimeout(timer);
  const deltas = joinDeltas(queue);
  queue = [];
  for (const delta of deltas) {
    const conversation = opened.peek();
    if (conversation?.id === delta.conversation) conversation.addDelta(delta);
  }
}

/** Pieces that follow each other as one. */
export function joinDeltas(deltas: readonly Delta[]): Delta[] {
  const joined: Delta[] = [];
  for (const delta of deltas) {
    const last = joined.at(-1);
    const follows =
      last && last.message === delta.message && last.part === delta.part && last.at + last.text.length === delta.at;
    if (follows) joined[joined.length - 1] = { ...last, text: last.text + delta.text };
    else joined.push(delta);
  }
  return joined;
}
