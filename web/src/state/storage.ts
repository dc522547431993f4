// What this browser remembers. Storage can be switched off or full: then things are remembered until the page goes.

const fallback = new Map<string, string>();

export function remember(key: string, value: string | null, store: () => Storage = () => localStorage) {
  try {
    if (value === null) store().removeItem(key);
    else store().setItem(key, value);
    fallback.delete(key);
  } catch {
    if (value === null) fallback.delete(key);
    else fallback.set(key, value);
  }
}

export function recall(key: string, store: () => Storage = () => localStorage): string | null {
  try {
    return store().getItem(key) ?? fallback.get(key) ?? null;
  } catch {
    return fallback.get(key) ?? null;
  }
}

export function forget(prefix: string) {
  for (const key of [...fallback.keys()]) if (key.startsWith(prefix)) fallback.delete(key);
  for (const store of [() => localStorage, () => sessionStorage]) {
    try {
      for (const key of Object.keys(store())) if (key.startsWith(prefix)) store().removeItem(key);
    } catch {
      // Nothing is kept where nothing can be.
    }
  }
}
