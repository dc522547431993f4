// The token that signs this browser in, shared by all its tabs.

import { signal } from "@preact/signals";

const KEY = "ingle.token";

export const token = signal<string | null>(read());

export function setToken(value: string | null) {
  token.value = value;
  try {
    if (value === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    // Storage can be switched off; then this tab alone is signed in.
  }
}

/** Follows what other tabs do: one that signs in takes this one along. */
export function followOtherTabs() {
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) token.value = read();
  });
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
