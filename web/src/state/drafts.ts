// What is being typed, kept per conversation so that it outlives the page. A temporary chat's goes with the tab.

import { signal } from "@preact/signals";
import type { Attachment } from "../api/types.ts";
import { recall, remember } from "./storage.ts";

export interface Draft {
  text: string;
  attachments: Attachment[];
}

/** The conversation that it is for; null: a chat that has not begun. */
export type Owner = number | null;

const EMPTY: Draft = { text: "", attachments: [] };
const PAUSE = 250; // milliseconds of typing that may be lost where the browser dies

/** The one that is shown. */
export const draft = signal<Draft>(EMPTY);

let owner: Owner = null;
let temporary = false;
let timer: ReturnType<typeof setTimeout> | undefined;

export function openDraft(of: Owner, ofTemporary: boolean) {
  keepDraft();
  owner = of;
  temporary = ofTemporary;
  draft.value = readDraft(of);
}

export function changeDraft(changes: Partial<Draft>) {
  draft.value = { ...draft.peek(), ...changes };
  timer ??= setTimeout(keepDraft, PAUSE);
}

/** At once; else it is a moment after the last key. */
export function keepDraft() {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  write(owner, draft.peek(), temporary);
}

/** A chat that has begun takes what was typed for it along. */
export function moveDraft(to: number, ofTemporary: boolean) {
  write(owner, EMPTY, temporary);
  owner = to;
  temporary = ofTemporary;
  write(owner, draft.peek(), temporary);
}

/** Whether what is typed is to outlive the tab. Files go: they are kept as they were when they were attached. */
export function keepDraftInTab(inTabOnly: boolean) {
  write(owner, EMPTY, temporary);
  temporary = inTabOnly;
  draft.value = { ...draft.peek(), attachments: [] };
  write(owner, draft.peek(), temporary);
}

/** What was sent, or belonged to a conversation that is gone. */
export function clearDraft(of: Owner) {
  if (of === owner) {
    clearTimeout(timer);
    timer = undefined;
    draft.value = EMPTY;
  }
  write(of, EMPTY, false);
}

/** For a file that arrives when another conversation may be shown. */
export function attachTo(of: Owner, attachment: Attachment) {
  if (of === owner) return changeDraft({ attachments: [...draft.peek().attachments, attachment] });
  const kept = readDraft(of);
  write(of, { ...kept, attachments: [...kept.attachments, attachment] }, recall(keyOf(of), inTab) !== null);
}

const keyOf = (of: Owner) => `ingle.draft.${of ?? "new"}`;
const inTab = () => sessionStorage;

export function readDraft(of: Owner): Draft {
  const kept = recall(keyOf(of), inTab) ?? recall(keyOf(of));
  if (!kept) return EMPTY;
  try {
    const { text, attachments } = JSON.parse(kept) as Partial<Draft>;
    return { text: typeof text === "string" ? text : "", attachments: Array.isArray(attachments) ? attachments : [] };
  } catch {
    return EMPTY;
  }
}

function write(of: Owner, what: Draft, inTabOnly: boolean) {
  const kept = what.text || what.attachments.length ? JSON.stringify(what) : null;
  remember(keyOf(of), inTabOnly ? null : kept);
  remember(keyOf(of), inTabOnly ? kept : null, inTab);
}
