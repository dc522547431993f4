// All conversations as the sidebar lists them, and what can be done to one without opening it.

import { computed, signal } from "@preact/signals";
import { changeConversation, type ConversationChange, deleteConversation, listConversations } from "../api/routes.ts";
import type { Summary } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { clearDraft } from "./drafts.ts";
import { notify, notifyError } from "./notices.ts";
import { go, route } from "./route.ts";

const PAGE = 200;

export const summaries = signal<ReadonlyMap<number, Summary>>(new Map());
/** Whether the list has been fetched at all. */
export const listed = signal(false);
/** Gone for the person, not yet for the server: it can still be undone. */
const leaving = signal<ReadonlySet<number>>(new Set());

export const conversations = computed(() =>
  [...summaries.value.values()].filter((each) => !leaving.value.has(each.id)),
);

export function takeSummary(summary: Summary) {
  const known = summaries.value.get(summary.id);
  if (known && known.changed > summary.changed) return;
  summaries.value = new Map(summaries.value).set(summary.id, summary);
}

export function dropSummary(id: number) {
  const rest = new Map(summaries.value);
  if (rest.delete(id)) summaries.value = rest;
  clearDraft(id);
  if (route.value.page === "chat" && route.value.conversation === id) go({ page: "chat", conversation: null }, true);
}

let refreshing = 0;

/** Fetches the whole list, page by page; what is no longer there goes at the end. */
export async function refreshConversations() {
  const turn = ++refreshing;
  const seen = new Set<number>();
  const before = new Set(summaries.value.keys());
  for (let last: number | undefined, more = true; more;) {
    const page = await listConversations({ limit: PAGE, ...(last === undefined ? {} : { before: last }) });
    if (turn !== refreshing) return;
    const next = new Map(summaries.value);
    for (const summary of page.conversations) {
      seen.add(summary.id);
      if ((next.get(summary.id)?.changed ?? -1) < summary.changed) next.set(summary.id, summary);
    }
    summaries.value = next;
    listed.value = true;
    last = page.conversations.at(-1)?.updated;
    more = page.more && last !== undefined;
  }
  for (const id of before) if (!seen.has(id)) dropSummary(id);
}

/** Shown at once; taken back where the server does not agree. */
export async function change(id: number, changes: ConversationChange): Promise<boolean> {
  const known = summaries.value.get(id);
  if (known) summaries.value = new Map(summaries.value).set(id, { ...known, ...changes });
  try {
    takeSummary(await changeConversation(id, changes));
    return true;
  } catch (error) {
    if (known) summaries.value = new Map(summaries.value).set(id, known);
    notifyError(error);
    return false;
  }
}

/** Deletes it once the notice that offers to undo it has gone, or the page has. */
export function remove(id: number) {
  const title = titleOf(summaries.value.get(id));
  setLeaving(id, true);
  if (route.value.page === "chat" && route.value.conversation === id) go({ page: "chat", conversation: null }, true);
  const finish = async (keepalive = false) => {
    removeEventListener("pagehide", finishNow);
    try {
      await deleteConversation(id, keepalive);
      dropSummary(id);
    } catch (error) {
      notifyError(error);
    } finally {
      setLeaving(id, false);
    }
  };
  const finishNow = () => void finish(true);
  addEventListener("pagehide", finishNow);
  notify(t("conversation.deleted", { title }), {
    action: {
      label: t("action.undo"),
      run: () => {
        removeEventListener("pagehide", finishNow);
        setLeaving(id, false);
      },
    },
    gone: () => void finish(),
  });
}

function setLeaving(id: number, leaves: boolean) {
  const next = new Set(leaving.value);
  if (leaves) next.add(id);
  else next.delete(id);
  leaving.value = next;
}

export function titleOf(summary: Pick<Summary, "title"> | undefined): string {
  return summary?.title || t("conversation.untitled");
}
