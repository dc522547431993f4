// The keyboard shortcuts: one record each, which the page obeys, the help lists and the buttons' tooltips show.

import type { Key } from "../i18n/index.ts";
import { newChat, stop } from "../state/chat.ts";
import { opened } from "../state/conversation.ts";
import { question } from "../state/notices.ts";
import { drawerOpen, outsideLink, overlay, toggleOverlay } from "../state/overlays.ts";
import { inspect, inspected } from "../state/route.ts";
import { session } from "../state/session.ts";
import { sidebarOpen } from "../state/settings.ts";
import { docked } from "./media.ts";

interface Shortcut {
  id: "search" | "new" | "sidebar" | "inspector" | "keys" | "focus";
  key: string;
  shift?: boolean;
  help: Key;
  run: () => void;
}

export const shortcuts: readonly Shortcut[] = [
  { id: "search", key: "k", help: "keys.search", run: () => toggleOverlay("search") },
  { id: "new", key: "o", shift: true, help: "keys.new", run: startNew },
  { id: "sidebar", key: "b", help: "keys.sidebar", run: toggleSidebar },
  { id: "inspector", key: "i", help: "keys.inspector", run: toggleInspector },
  { id: "focus", key: "l", shift: true, help: "keys.focus", run: focusComposer },
  { id: "keys", key: "/", help: "keys.keys", run: () => toggleOverlay("keys") },
];

export const mac = /Mac|iP(hone|ad|od)/.test(navigator.platform);

export function keysOf(id: Shortcut["id"]): string {
  const { key, shift } = shortcuts.find((each) => each.id === id)!;
  const shown = key.toUpperCase();
  return mac ? `${shift ? "⇧" : ""}⌘${shown}` : `${shift ? "Shift+" : ""}Ctrl+${shown}`;
}

export function toggleSidebar() {
  const open = docked.peek() ? sidebarOpen : drawerOpen;
  open.value = !open.peek();
}

export function toggleInspector() {
  overlay.value = null;
  inspect(inspected.peek() === null ? "newest" : null);
}

export function focusComposer() {
  document.querySelector<HTMLTextAreaElement>(".composer textarea")?.focus();
}

function startNew() {
  overlay.value = null;
  newChat();
  requestAnimationFrame(focusComposer);
}

export function obeyShortcuts() {
  addEventListener("keydown", (event) => {
    if (session.peek() !== "signed-in" || event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") return escape(event);
    const modified = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!modified || event.altKey || question.peek() || outsideLink.peek()) return;
    const found = shortcuts.find(
      (each) => each.key === event.key.toLowerCase() && (each.shift ?? false) === event.shiftKey,
    );
    if (!found) return;
    event.preventDefault();
    if (!event.repeat) found.run();
  });
}

// Dialogs and menus see to themselves; what is left for Escape is the drawer, and then the reply.
function escape(event: KeyboardEvent) {
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  const editing = event.target instanceof HTMLElement && event.target.closest(".message-edit");
  const writing = opened.peek()?.writing;
  if (drawerOpen.peek()) drawerOpen.value = false;
  else if (writing && !editing) void stop(writing.id);
}
