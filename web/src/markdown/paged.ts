// Lists that only grow at their end. Appending shares all earlier pages with the previous value, so it costs little and
// the renderer sees by identity what did not change.

export type Paged<T> = readonly (readonly T[])[];

const PAGE = 32;

export function append<T>(paged: Paged<T>, items: readonly T[]): Paged<T> {
  if (items.length === 0) return paged;
  const pages = paged.slice();
  let taken = 0;
  const last = pages.at(-1);
  if (last && last.length < PAGE) {
    taken = PAGE - last.length;
    pages[pages.length - 1] = [...last, ...items.slice(0, taken)];
  }
  for (; taken < items.length; taken += PAGE) pages.push(items.slice(taken, taken + PAGE));
  return pages;
}

export function lastOf<T>(paged: Paged<T>): T | undefined {
  return paged.at(-1)?.at(-1);
}

export function replaceLast<T>(paged: Paged<T>, item: T): Paged<T> {
  const last = paged.at(-1) ?? [];
  return [...paged.slice(0, -1), [...last.slice(0, -1), item]];
}

/** A long text in pieces of whole lines (a very long line in several pieces), each shown as a block of its own, so that
 * the browser lays out only the last one again when the text grows. */
export type Chunks = readonly string[];

const CHUNK_LINES = 64;
const CHUNK_CHARS = 8192;

/** The pieces of the text with `more` at its end. Where they are cut does not depend on how the text arrived. */
export function appendText(chunks: Chunks, more: string): Chunks {
  if (!more) return chunks;
  const result = chunks.slice(0, -1);
  let rest = (chunks.at(-1) ?? "") + more;
  for (let end = chunkEnd(rest); end < rest.length; end = chunkEnd(rest)) {
    result.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  result.push(rest);
  return result;
}

function chunkEnd(text: string): number {
  let end = 0;
  for (let lines = 0; lines < CHUNK_LINES; lines++) {
    const next = text.indexOf("\n", end);
    if (next < 0 || next >= CHUNK_CHARS) {
      if (text.length <= CHUNK_CHARS) return text.length;
      if (end > 0) return end;
      const high = text.charCodeAt(CHUNK_CHARS - 1);
      return high >= 0xd800 && high < 0xdc00 ? CHUNK_CHARS - 1 : CHUNK_CHARS; // keeps a surrogate pair together
    }
    end = next + 1;
  }
  return end;
}
