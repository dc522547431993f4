// Highlighting: lowlight's tree -> runs of text with classes, cut at the same places as the code's chunks.

import type { ElementContent, Root, RootContent } from "hast";
import type { Chunks } from "./paged.ts";

export interface Span {
  text: string;
  /** Classes of highlight.js, or "" for plain text. */
  name: string;
}

/** One chunk's spans; `text` is what they were made of. */
export interface ChunkSpans {
  text: string;
  spans: Span[];
}

/** The spans of each chunk; chunks whose spans are as in `before` keep the old object, so that nothing is redrawn. */
export function spansOf(root: Root, chunks: Chunks, before: readonly ChunkSpans[]): ChunkSpans[] {
  const flat: Span[] = [];
  flatten(root.children, "", flat);
  let at = 0;
  let offset = 0; // in flat[at]
  return chunks.map((text, i) => {
    const spans: Span[] = [];
    for (let missing = text.length; missing > 0 && at < flat.length;) {
      const { text: run, name } = flat[at]!;
      const part = run.slice(offset, offset + missing);
      spans.push({ text: part, name });
      missing -= part.length;
      offset += part.length;
      if (offset === run.length) {
        at++;
        offset = 0;
      }
    }
    const old = before[i];
    return old && old.text === text && sameSpans(old.spans, spans) ? old : { text, spans };
  });
}

function flatten(nodes: (RootContent | ElementContent)[], name: string, into: Span[]): void {
  for (const node of nodes) {
    if (node.type === "text") into.push({ text: node.value, name });
    else if (node.type === "element") {
      const classes = node.properties["className"];
      const own = Array.isArray(classes) ? classes.join(" ") : "";
      flatten(node.children, name && own ? `${name} ${own}` : name || own, into);
    }
  }
}

function sameSpans(a: Span[], b: Span[]): boolean {
  return a.length === b.length && a.every((span, i) => span.text === b[i]!.text && span.name === b[i]!.name);
}
