// What a tab fetches for what is chosen: the last answer stays until the next one is there; another choice ends the
// request before.

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";

export interface Fetched<T> {
  value: T | null;
  /** 404: it is not kept. */
  missing: boolean;
  problem: string | null;
  loading: boolean;
}

/** `key` says what is fetched; null: nothing. */
export function useFetched<T>(key: string | null, fetch: (signal: AbortSignal) => Promise<T>): Fetched<T> {
  const [state, setState] = useState<Fetched<T>>({ value: null, missing: false, problem: null, loading: false });
  useEffect(() => {
    if (key === null) return;
    const ending = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    // Keys that are held down choose many; the server is asked for the one that stays.
    const timer = setTimeout(() => {
      fetch(ending.signal).then(
        (value) => ending.signal.aborted || setState({ value, missing: false, problem: null, loading: false }),
        (error: unknown) => ending.signal.aborted || setState(failureOf(error)),
      );
    }, 60);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [key]);
  return state;
}

export function failureOf<T>(error: unknown): Fetched<T> {
  const missing = error instanceof ApiError && error.status === 404;
  return { value: null, missing, problem: missing ? null : (error as Error).message, loading: false };
}

/** Fetches again each second while the page is looked at. */
export function useRefreshed<T>(key: string, fetch: (signal: AbortSignal) => Promise<T>): Fetched<T> {
  const [state, setState] = useState<Fetched<T>>({ value: null, missing: false, problem: null, loading: true });
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const next = async () => {
      if (document.visibilityState === "visible") {
        try {
          const value = await fetch(ending.signal);
          if (!ending.signal.aborted) setState({ value, missing: false, problem: null, loading: false });
        } catch (error) {
          if (!ending.signal.aborted) setState(failureOf(error));
        }
      }
      if (!ending.signal.aborted) timer = setTimeout(next, 1_000);
    };
    void next();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [key]);
  return state;
}
