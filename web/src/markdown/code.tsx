// A block of code: its language, a button that wraps long lines, one that copies, and the highlighted text.

import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { copyText } from "./copy.ts";
import { type ChunkSpans, spansOf } from "./highlight.ts";
import { Labels } from "./labels.ts";
import type { Chunks } from "./paged.ts";
import { pure } from "./pure.ts";
import { whenIdle } from "./queue.ts";

/** Longer code stays plain: highlighting it would block for too long. */
const MAX_HIGHLIGHTED = 50_000;

/** The least time between two highlightings of code that grows; more if they take long. */
const INTERVAL_MS = 150;
const REST_FACTOR = 8;

export function CodeBlock({ info, chunks }: { info: string; chunks: Chunks }) {
  const labels = useContext(Labels);
  const [wraps, setWraps] = useState(false);
  const language = /^[^\s{,]*/.exec(info)![0];
  const highlighted = useHighlighting(language.toLowerCase(), chunks);
  return (
    <div class="md-code" dir="ltr">
      <div class="md-code-head">
        <span class="md-code-language">{language}</span>
        <button type="button" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
          {labels.wrapLines}
        </button>
        <CopyButton chunks={chunks} />
      </div>
      <pre class={wraps ? "md-wraps" : ""} tabIndex={0} role="region" aria-label={`${labels.code} ${language}`.trim()}>
        <code>
          {chunks.map((text, i) => (
            <Chunk
              key={i}
              text={i === chunks.length - 1 ? text.replace(/\n$/, "") : text}
              highlighted={highlighted[i]}
            />
          ))}
        </code>
      </pre>
    </div>
  );
}

/** Spans that were made when the chunk was shorter still fit its beginning; the rest is plain until the next time. */
const Chunk = pure<{ text: string; highlighted: ChunkSpans | undefined }>(({ text, highlighted }) => {
  if (!highlighted || !text.startsWith(highlighted.text.replace(/\n$/, "")))
    return <span class="md-chunk">{text}</span>;
  let rest = text;
  const parts = highlighted.spans.map((span) => {
    const part = rest.slice(0, span.text.length);
    rest = rest.slice(part.length);
    return span.name ? <span class={span.name}>{part}</span> : part;
  });
  return <span class="md-chunk">{[...parts, rest]}</span>;
});

function CopyButton({ chunks }: { chunks: Chunks }) {
  const labels = useContext(Labels);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await copyText(chunks.join("").replace(/\n$/, "")));
  return (
    <button type="button" onClick={() => void copy()} aria-live="polite">
      {copied ? labels.copied : labels.copy}
    </button>
  );
}

/** The spans of each chunk as of the last highlighting, which follows the code at intervals. */
function useHighlighting(language: string, chunks: Chunks): readonly ChunkSpans[] {
  const [spans, setSpans] = useState<readonly ChunkSpans[]>([]);
  const last = useRef<{ spans: readonly ChunkSpans[]; next: number; language: string }>({
    spans: [],
    next: 0,
    language,
  });
  useLayoutEffect(() => {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (!language || length > MAX_HIGHLIGHTED) return;
    let cancel = () => {};
    let gone = false;
    const run = async () => {
      const { highlight } = await import("./languages.ts");
      if (gone) return;
      cancel = whenIdle(() => {
        const from = performance.now();
        const root = highlight(language, chunks.join(""));
        last.current.spans = root ? spansOf(root, chunks, last.current.spans) : [];
        const now = performance.now();
        last.current.next = now + Math.max(INTERVAL_MS, REST_FACTOR * (now - from));
        setSpans(last.current.spans);
      });
    };
    const timer = setTimeout(() => run().catch(() => {}), Math.max(0, last.current.next - performance.now()));
    return () => {
      gone = true;
      clearTimeout(timer);
      cancel();
    };
  }, [language, chunks]);
  return spans;
}
