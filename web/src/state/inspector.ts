// What the inspector knows, while it is open: the recordings of the latest replies and how the device fares. The server
// records only as long as a page follows its stream; closed, there is neither.

import { computed, effect, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { type Device, followInspector, getRecording, type InspectorEvent } from "../api/inspector.ts";
import { answer } from "./chat.ts";
import { opened } from "./conversation.ts";
import { notifyError } from "./notices.ts";
import { inspect, inspected } from "./route.ts";
import { Reply } from "./recording.ts";
import { recall, remember } from "./storage.ts";

export { Reply };

const KEPT = 8; // as the server
const DEVICE_SECONDS = 120;

export const replies = signal<ReadonlyMap<number, Reply>>(new Map());
/** Those that the server has recordings of; null: it has not said yet. */
const recorded = signal<ReadonlySet<number> | null>(null);
export const stream = signal<"connecting" | "open" | "lost">("connecting");
/** Of the last two minutes, a second each. */
export const devices = signal<readonly Device[]>([]);

/** What is recorded beside the tokens, of replies begun from then on. */
export const recordLayers = signal(recall("ingle.inspector.layers") !== "off");
export const recordTimeline = signal(recall("ingle.inspector.timeline") !== "off");
export const tab = signal(recall("ingle.inspector.tab") ?? "tokens");

/** The token that details are shown of; null: none was chosen. */
export const chosen = signal<number | null>(null);
/** The one that the pointer is over. */
export const pointed = signal<number | null>(null);

/** The replies of the branch that is shown. */
export const branchReplies = computed<readonly number[]>(() => {
  const conversation = opened.value;
  return (conversation?.branch.value ?? []).filter((id) => conversation!.message(id)?.peek().role === "assistant");
});

/** The message that is inspected. */
export const shownId = computed<number | null>(() => {
  const what = inspected.value;
  return what === "newest" || what === null ? (branchReplies.value.at(-1) ?? null) : what;
});

/** Its recording; null: there is none; undefined: that is not known yet. */
export const shown = computed<Reply | null | undefined>(() => {
  const id = shownId.value;
  if (id === null) return null;
  const reply = replies.value.get(id);
  if (reply) return reply;
  return recorded.value === null || recorded.value.has(id) ? undefined : null;
});

/** The token that tabs show which do not follow the newest. */
export const focused = computed(() => Math.min(chosen.value ?? 0, Math.max((shown.value?.count.value ?? 1) - 1, 0)));

/** Follows the stream until the returned function is called. */
export function startInspector(): () => void {
  const ends = [
    effect(() => {
      stream.value = "connecting";
      return followInspector(
        { layers: recordLayers.value, timeline: recordTimeline.value },
        { event: take, lost: () => (stream.value = "lost") },
      );
    }),
    effect(() => {
      remember("ingle.inspector.layers", recordLayers.value ? null : "off");
      remember("ingle.inspector.timeline", recordTimeline.value ? null : "off");
      remember("ingle.inspector.tab", tab.value === "tokens" ? null : tab.value);
    }),
    shownId.subscribe(() => {
      chosen.value = pointed.value = null;
    }),
    effect(() => {
      const id = shownId.value;
      if (id !== null && recorded.value?.has(id) && !replies.peek().has(id)) void fetchReply(id);
    }),
  ];
  return () => {
    for (const end of ends) end();
    replies.value = new Map();
    recorded.value = null;
    devices.value = [];
  };
}

function take(event: InspectorEvent) {
  switch (event.type) {
    case "hello":
      stream.value = "open";
      // What was missed meanwhile is fetched again.
      replies.value = new Map([...replies.peek()].filter(([id, reply]) => event.replies.includes(id) && ended(reply)));
      recorded.value = new Set(event.replies);
      return;
    case "reply":
      if (event.reply.message === shownId.peek()) chosen.value = pointed.value = null;
      put(new Reply(event.reply));
      recorded.value = new Set(recorded.peek() ?? []).add(event.reply.message);
      return;
    case "tokens": {
      const reply = replies.peek().get(event.message);
      if (!reply || !reply.add(event.first, event.tokens)) {
        if (event.message === shownId.peek()) void fetchReply(event.message);
      } else if (event.first === 0) void fetchHead(reply);
      return;
    }
    case "end": {
      const reply = replies.peek().get(event.message);
      if (!reply) {
        // It is being fetched, and may come as it was before this.
        if (fetching.has(event.message)) endedMeanwhile.add(event.message);
        return;
      }
      const { finish, error, timings, observing_ms } = event;
      reply.head.value = { ...reply.head.peek(), finish, error, timings, observing_ms };
      return;
    }
    case "device":
      devices.value = [...devices.peek(), event.device].slice(-DEVICE_SECONDS);
  }
}

const ended = (reply: Reply) => reply.head.peek().finish !== null;

function put(reply: Reply) {
  const next = new Map(replies.peek());
  next.delete(reply.id);
  next.set(reply.id, reply);
  for (const id of next.keys()) if (next.size > KEPT && id !== shownId.peek()) next.delete(id);
  replies.value = next;
}

const fetching = new Set<number>();
const endedMeanwhile = new Set<number>();

async function fetchReply(id: number) {
  if (fetching.has(id)) return;
  fetching.add(id);
  try {
    const found = new Reply(await getRecording(id));
    const known = replies.peek().get(id);
    // What the stream has told meanwhile may be more.
    if (!known || known.count.peek() < found.count.peek()) {
      if (known && ended(known)) found.head.value = known.head.peek();
      put(found);
    } else if (!ended(known)) known.head.value = found.head.peek();
  } catch (error) {
    failed(error);
    recorded.value = new Set([...(recorded.peek() ?? [])].filter((each) => each !== id));
  } finally {
    fetching.delete(id);
  }
  if (endedMeanwhile.delete(id)) void fetchReply(id);
}

/** What is known only once the first token is there, such as what was cached. */
async function fetchHead(reply: Reply) {
  try {
    const { tokens: _, ...head } = await getRecording(reply.id);
    const { finish, error, timings, observing_ms } = reply.head.peek();
    reply.head.value = finish === null ? head : { ...head, finish, error, timings, observing_ms };
  } catch (error) {
    failed(error);
  }
}

function failed(error: unknown) {
  if (!(error instanceof ApiError)) throw error;
  if (!error.unreachable && error.status !== 404 && error.status !== 401) notifyError(error);
}

/** The same question answered once more, and recorded. */
export async function writeAgain(id: number) {
  const parent = opened.peek()?.message(id)?.peek().parent;
  if (parent === null || parent === undefined) return;
  if (await answer(parent)) inspect("newest", true);
}
