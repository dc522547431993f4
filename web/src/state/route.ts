// Which page is shown, by the address's fragment: #/ a new chat, #/c/12 a conversation, #/c/12/m/34 a message in it,
// #/models, #/machine, #/settings. With the inspector open: #/inspect, #/c/12/inspect the newest reply,
// #/c/12/inspect/34 this one.

import { computed, signal } from "@preact/signals";

export type Route = ChatRoute | { page: "models" } | { page: "machine" } | { page: "settings" };
export interface ChatRoute {
  page: "chat";
  conversation: number | null;
  message?: number;
  /** The inspector is open: with the newest reply, or with this one. */
  inspect?: "newest" | number;
}

export const route = signal<Route>(parseRoute(globalThis.location?.hash ?? ""));

export function parseRoute(hash: string): Route {
  const chat = /^#\/c\/(\d+)(?:\/m\/(\d+))?$/.exec(hash);
  if (chat) {
    return { page: "chat", conversation: Number(chat[1]), ...(chat[2] ? { message: Number(chat[2]) } : {}) };
  }
  const inspect = /^#(?:\/c\/(\d+))?\/inspect(?:\/(\d+))?$/.exec(hash);
  if (inspect) {
    const conversation = inspect[1] ? Number(inspect[1]) : null;
    return { page: "chat", conversation, inspect: inspect[2] ? Number(inspect[2]) : "newest" };
  }
  if (hash === "#/models") return { page: "models" };
  if (hash === "#/machine") return { page: "machine" };
  if (hash === "#/settings") return { page: "settings" };
  return { page: "chat", conversation: null };
}

export function addressOf(to: Route): string {
  if (to.page !== "chat") return `#/${to.page}`;
  const chat = to.conversation === null ? "" : `/c/${to.conversation}`;
  if (to.inspect !== undefined) return `#${chat}/inspect${to.inspect === "newest" ? "" : `/${to.inspect}`}`;
  if (to.conversation === null) return "#/";
  return `#${chat}${to.message === undefined ? "" : `/m/${to.message}`}`;
}

export function followRoute() {
  addEventListener("hashchange", () => {
    if (!location.hash.startsWith("#code=")) route.value = parseRoute(location.hash);
  });
  route.value = parseRoute(location.hash);
}

/** `replace`: the page before is not one to come back to. */
export function go(to: Route, replace = false) {
  const address = addressOf(to);
  if (location.hash !== address) history[replace ? "replaceState" : "pushState"](null, "", address);
  route.value = to;
}

/** What is inspected in the chat that is shown; null: the inspector is closed. */
export const inspected = computed(() => (route.value.page === "chat" ? (route.value.inspect ?? null) : null));

/** Opens the inspector on what is shown, or on one reply; null closes it. */
export function inspect(what: "newest" | number | null, replace = false) {
  const at = route.peek();
  const conversation = at.page === "chat" ? at.conversation : null;
  go({ page: "chat", conversation, ...(what === null ? {} : { inspect: what }) }, replace);
}

/** Another chat; the inspector stays as it is. */
export function chatAt(conversation: number | null): ChatRoute {
  return { page: "chat", conversation, ...(inspected.value === null ? {} : { inspect: "newest" }) };
}
