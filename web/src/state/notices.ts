// Short notes at the page's edge, and questions that must be answered first.

import { signal } from "@preact/signals";

export interface Notice {
  id: number;
  text: string;
  kind: "info" | "error";
  action?: { label: string; run: () => void };
  /** Called when it goes without its action having been chosen. */
  gone?: () => void;
}

export interface Question {
  title: string;
  body: string;
  action: string;
  danger?: boolean;
  /** What has to be typed before the action can be chosen. */
  typed?: string;
  /** Asks for a text, with this one to begin with. */
  input?: { label: string; value: string };
  answer: (text: string | null) => void;
}

export const notices = signal<readonly Notice[]>([]);
export const question = signal<Question | null>(null);
/** Said to those who listen to the page rather than look at it. */
export const announcement = signal("");

const SHOWN = 6_000; // milliseconds
let lastId = 0;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function notify(text: string, options: Partial<Omit<Notice, "id" | "text">> = {}): number {
  const notice: Notice = { id: ++lastId, text, kind: "info", ...options };
  // The same again replaces what stands there, rather than piling up.
  for (const each of notices.value) if (each.text === text && !each.gone) dismiss(each.id);
  notices.value = [...notices.value, notice];
  holdNotice(notice.id, false);
  return notice.id;
}

export function notifyError(error: unknown) {
  notify(error instanceof Error ? error.message : String(error), { kind: "error" });
}

/** A notice that is pointed at stays. */
export function holdNotice(id: number, hold: boolean) {
  clearTimeout(timers.get(id));
  if (!hold)
    timers.set(
      id,
      setTimeout(() => dismiss(id), SHOWN),
    );
}

export function dismiss(id: number, acted = false) {
  const notice = notices.value.find((each) => each.id === id);
  if (!notice) return;
  clearTimeout(timers.get(id));
  timers.delete(id);
  notices.value = notices.value.filter((each) => each !== notice);
  if (!acted) notice.gone?.();
}

/** Whether the person agreed. */
export async function confirm(asked: Omit<Question, "answer" | "input">): Promise<boolean> {
  return (await ask(asked)) !== null;
}

/** What the person typed, or null where they would rather not. */
export function ask(asked: Omit<Question, "answer">): Promise<string | null> {
  return new Promise((resolve) => {
    question.value?.answer(null);
    question.value = {
      ...asked,
      answer(text) {
        question.value = null;
        resolve(text);
      },
    };
  });
}
