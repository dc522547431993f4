// The stream of events, held open as long as the page is signed in, and others like it. By fetch, for EventSource can't send a token.
//
// Where it breaks it is opened again, after a pause that doubles up to ten seconds; half of a pause is left to chance,
// so that many tabs don't come back at the same instant. A page that is looked at again, or a network that came back,
// ends the pause.

import { ApiError, send } from "./client.ts";
import { readLines } from "./lines.ts";
import type { Event } from "./types.ts";

export interface Listener<E = Event> {
  event(event: E): void;
  /** The stream has ended or could not be opened. */
  lost(): void;
}

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 10_000;
/** The server pings; where even that is missing for so long, the connection is dead. */
const SILENCE = 60_000;

export function pauseBefore(attempt: number, chance = Math.random()): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE);
  return pause / 2 + (pause / 2) * chance;
}

/** Follows the events until the returned function is called, or the token is refused. */
export const followEvents = (listener: Listener): (() => void) => followStream("/app/events", listener);

/** As `followEvents`, of another stream that has the same form. */
export function followStream<E>(path: string, listener: Listener<E>): () => void {
  const ending = new AbortController();
  void follow(path, listener, ending.signal);
  return () => ending.abort();
}

async function follow<E>(path: string, listener: Listener<E>, ending: AbortSignal) {
  for (let attempt = 0; !ending.aborted; ++attempt) {
    try {
      await readEvents<E>(path, ending, (event) => {
        attempt = 0;
        listener.event(event);
      });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
    }
    if (ending.aborted) return;
    listener.lost();
    await pause(pauseBefore(attempt), ending);
  }
}

/** Reads such a stream once: until it ends, breaks or is aborted. */
export async function readEvents<E>(path: string, ending: AbortSignal, each: (event: E) => void) {
  const connection = new AbortController();
  const end = () => connection.abort();
  ending.addEventListener("abort", end);
  let pinged = false;
  let heard = Date.now();
  const watch = setInterval(() => {
    if (pinged && Date.now() - heard > SILENCE) connection.abort();
  }, 5_000);
  try {
    const response = await send("GET", path, { signal: connection.signal });
    await readLines(response, (line) => {
      heard = Date.now();
      if (line.startsWith(":")) pinged = true;
      const event = parseLine<E>(line);
      if (event) each(event);
    });
  } finally {
    clearInterval(watch);
    ending.removeEventListener("abort", end);
  }
}

/** Each event is one `data:` line; all else (pings, empty lines) is nothing. */
export function parseLine<E = Event>(line: string): E | null {
  if (!line.startsWith("data:")) return null;
  try {
    return JSON.parse(line.slice(5)) as E;
  } catch {
    return null;
  }
}

function pause(milliseconds: number, ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function looked() {
      if (document.visibilityState === "visible") done();
    }
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      document.removeEventListener("visibilitychange", looked);
      ending.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done);
    document.addEventListener("visibilitychange", looked);
    ending.addEventListener("abort", done);
  });
}
