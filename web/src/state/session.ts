// Who is signed in. `ingle open` opens the page with a code in its fragment; the code is worth one token, which signs
// in all tabs of this browser until it is given back or refused.

import { computed, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { endSession, startSession } from "../api/routes.ts";
import { followOtherTabs, setToken, token } from "../api/token.ts";
import { forget } from "./storage.ts";

const exchanging = signal(false);
/** Why a code was not taken: it was used before, or the server was not there. */
export const signInProblem = signal<"refused" | "unreachable" | null>(null);

export const session = computed(() =>
  exchanging.value ? ("signing-in" as const) : token.value ? ("signed-in" as const) : ("signed-out" as const),
);

export function startWithFragment() {
  followOtherTabs();
  addEventListener("hashchange", () => void takeCode());
  return takeCode();
}

async function takeCode() {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1];
  if (!code) return;
  // At once, so that the code is neither seen, nor kept in the history, nor tried again by a reload.
  history.replaceState(null, "", location.pathname + location.search + "#/");
  exchanging.value = true;
  try {
    setToken((await startSession(decodeURIComponent(code))).token);
    signInProblem.value = null;
  } catch (error) {
    signInProblem.value = error instanceof ApiError && error.unreachable ? "unreachable" : "refused";
  } finally {
    exchanging.value = false;
  }
}

export async function signOut() {
  try {
    await endSession();
  } finally {
    forget("ingle.draft.");
    setToken(null);
  }
}
