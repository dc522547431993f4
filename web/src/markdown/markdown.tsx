// The component: keeps the parsed text between renderings, parses what is new, and goes on in later frames when there
// is more than fits into one.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { MarkdownText } from "./blocks.ts";
import { onCopy } from "./copy.ts";
import { Labels, type MarkdownLabels } from "./labels.ts";
import { afterFrame } from "./queue.ts";
import { Page } from "./render.tsx";
import "./markdown.css";

export interface MarkdownProps {
  text: string;
  /** More text will follow. Once false, the text is final and shown exactly. */
  streaming: boolean;
  /** Called with the whole address instead of following a link. */
  onLink?: (href: string) => void;
  labels: MarkdownLabels;
}

/** How much of a long text is read per frame: it adapts to how long a frame takes with it. */
const FIRST_PART = 6000;
const LEAST_PART = 4000;
const MOST_PART = 16_000;
const SLOW_MS = 40;
const FAST_MS = 16;

/** While a growing text takes long to parse or draw, at most about one part in this many of the time is spent on it. */
const REST_FACTOR = 5;

export function Markdown({ text, streaming, onLink, labels }: MarkdownProps): JSX.Element {
  const parsed = useRef<MarkdownText>(null);
  const part = useRef(FIRST_PART);
  const resting = useRef(0);
  const measuring = useRef(false);
  const [, redraw] = useState(0);
  const markdown = (parsed.current ??= new MarkdownText());

  markdown.set(text, !streaming);
  const from = performance.now();
  if (!markdown.done && from >= resting.current) {
    markdown.advance(part.current);
    const cost = performance.now() - from;
    resting.current = cost > FAST_MS && markdown.done ? from + REST_FACTOR * cost : 0;
  }
  useLayoutEffect(() => {
    if (markdown.done) {
      if (measuring.current) return undefined;
      measuring.current = true;
      afterFrame((drawing) => {
        measuring.current = false;
        if (drawing > FAST_MS) resting.current = performance.now() + REST_FACTOR * drawing;
      });
      return undefined;
    }
    const scripting = performance.now() - from;
    return afterFrame((drawing) => {
      const cost = scripting + drawing;
      if (cost > SLOW_MS) part.current = Math.max(LEAST_PART, part.current / 2);
      else if (cost < FAST_MS) part.current = Math.min(MOST_PART, part.current * 1.5);
      redraw((count) => count + 1);
    });
  });

  const { view } = markdown;
  return (
    <Labels.Provider value={labels}>
      <div
        class="md"
        onCopy={onCopy}
        onClick={(event) => follow(event, onLink)}
        onAuxClick={(event) => follow(event, onLink)}
      >
        {view.map((groups, i) => (
          <Page key={i} groups={groups} full={i < view.length - 1} />
        ))}
      </div>
    </Labels.Provider>
  );
}

/** No click follows a link: the main and the middle button ask the application. */
function follow(event: MouseEvent, onLink: ((href: string) => void) | undefined): void {
  const link = (event.target as Element).closest("a");
  if (!link) return;
  event.preventDefault();
  if (event.button < 2) onLink?.(link.href);
}
