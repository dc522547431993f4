// What a person does in a conversation. Each says on failure what went wrong and leaves everything as it was.

import { computed, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import {
  answerMessage,
  continueMessage,
  createConversation,
  deleteMessage,
  sendMessage,
  type Sent,
  stopMessage,
} from "../api/routes.ts";
import type { Message, Parameters, Summary } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { opened, type OpenConversation } from "./conversation.ts";
import { change, summaries, takeSummary } from "./conversations.ts";
import { clearDraft, draft, keepDraftInTab, moveDraft } from "./drafts.ts";
import { notify, notifyError } from "./notices.ts";
import { chatAt, go, route } from "./route.ts";
import { connection } from "./sync.ts";

/** What a chat that has not begun will be. */
export interface Plan {
  temporary: boolean;
  folder: number | null;
  model: string | null;
  system: string;
  parameters: Parameters;
}

const NO_PLAN: Plan = { temporary: false, folder: null, model: null, system: "", parameters: {} };
export const plan = signal<Plan>(NO_PLAN);

/** The setup of the chat that is shown, whether it has begun or not. */
export const setup = computed<Plan>(() => {
  const id = route.value.page === "chat" ? route.value.conversation : null;
  return (id === null ? undefined : summaries.value.get(id)) ?? plan.value;
});

export function newChat(changes: Partial<Plan> = {}) {
  plan.value = { ...NO_PLAN, ...changes };
  go(chatAt(null));
}

export function changeSetup(changes: Partial<Pick<Summary, "model" | "system" | "parameters">>): Promise<boolean> {
  const id = opened.peek()?.id;
  if (id !== undefined) return change(id, changes);
  plan.value = { ...plan.peek(), ...changes };
  return Promise.resolve(true);
}

export const sending = signal(false);

/** Whether it was sent; if not, the draft is still there. */
export async function sendDraft(): Promise<boolean> {
  if (sending.peek()) return false;
  if (connection.peek() === "offline") {
    notify(t("composer.offline"), { kind: "error" });
    return false;
  }
  sending.value = true;
  const { text, attachments } = draft.peek();
  const sent = await attempt(async () => {
    const id = opened.peek()?.id ?? (await begin());
    const conversation = opened.peek();
    const parent = conversation?.id === id ? (conversation.branch.peek().at(-1) ?? null) : null;
    const sent = await sendMessage(id, {
      parent,
      content: text,
      attachments: attachments.map((each) => each.id),
    });
    takeSent(id, sent);
    clearDraft(id);
  });
  sending.value = false;
  return sent;
}

/** For the chat that has not begun. */
export function planTemporary(temporary: boolean) {
  plan.value = { ...plan.peek(), temporary };
  if (draft.peek().attachments.length) notify(t("attachment.again"));
  keepDraftInTab(temporary);
}

// The page goes to the new conversation at once, and the draft with it, so that what comes of it finds its place.
async function begin(): Promise<number> {
  const { temporary, folder, model, system, parameters } = plan.peek();
  const summary = await createConversation({ temporary, folder, model, system, parameters });
  takeSummary(summary);
  plan.value = NO_PLAN;
  moveDraft(summary.id, temporary);
  go(chatAt(summary.id), true);
  return summary.id;
}

export function editMessage(message: Message, content: string): Promise<boolean> {
  return attempt(async () => {
    const id = current().id;
    const sent = await sendMessage(id, {
      parent: message.parent,
      content,
      attachments: message.attachments.map((each) => each.id),
    });
    takeSent(id, sent);
  });
}

/** Another reply to a person's message. */
export function answer(user: number): Promise<boolean> {
  return attempt(async () => {
    const id = current().id;
    put(id, [(await answerMessage(user)).reply]);
  });
}

export function goOn(reply: number): Promise<boolean> {
  return attempt(async () => {
    const id = current().id;
    put(id, [(await continueMessage(reply)).reply]);
  });
}

export function stop(reply: number): Promise<boolean> {
  return attempt(() => stopMessage(reply));
}

export function removeMessage(id: number): Promise<boolean> {
  return attempt(async () => {
    const conversation = current();
    await deleteMessage(id);
    await conversation.refresh();
  });
}

function current(): OpenConversation {
  const conversation = opened.peek();
  if (!conversation) throw new Error("no conversation is open");
  return conversation;
}

function takeSent(id: number, { message, reply, error }: Sent) {
  put(id, reply ? [message, reply] : [message]);
  if (error) notify(error, { kind: "error" });
}

// The new leaf is shown now; the event that tells of it comes by another connection.
function put(id: number, messages: Message[]) {
  const conversation = opened.peek();
  if (conversation?.id !== id) return;
  conversation.put(messages);
  const summary = summaries.peek().get(id);
  const leaf = messages.at(-1)!.id;
  if (summary) summaries.value = new Map(summaries.peek()).set(id, { ...summary, leaf });
}

async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.unreachable) notify(t("composer.offline"), { kind: "error" });
    else if (!(error instanceof ApiError) || error.status !== 401) notifyError(error);
    return false;
  }
}
