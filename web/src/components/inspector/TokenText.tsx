// The tokens as the text they make, each with its heat. Thousands stay fast: they are drawn in stretches that end where
// lines do, a stretch is drawn once, and what is far away is skipped (content-visibility).

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { levelOf, type Measure } from "../../inspector/heat.ts";
import { shownOf } from "../../inspector/pieces.ts";
import type { Token } from "../../api/inspector.ts";
import { chosen, pointed, type Reply } from "../../state/inspector.ts";
import { useFollowing } from "../chat/following.ts";
import { InText } from "./Parts.tsx";

const LEAST = 48; // tokens of a stretch, unless the text ends
const MOST = 400; // where no line ends
const BESIDE = 8; // tokens that a character may take

interface Props {
  reply: Reply;
  count: number;
  current: number;
  measure: Measure;
  median: number;
}

export function TokenText({ reply, count, current, measure, median }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useFollowing(scroller, content);
  // The median moves with each token; two digits of it say enough.
  const scale = measure === "time" ? Number(median.toPrecision(2)) : 0;

  const stretches = useMemo(() => stretchesOf(reply.tokens, count), [reply, count]);
  const marked = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const element = elementOf(current);
    if (marked.current === element) return;
    marked.current?.setAttribute("aria-selected", "false");
    element?.setAttribute("aria-selected", "true");
    marked.current = element;
  });

  const choose = (to: number) => {
    chosen.value = Math.max(0, Math.min(count - 1, to));
    pointed.value = null;
    elementOf(chosen.value)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div
      ref={scroller}
      class="token-text"
      role="listbox"
      tabIndex={0}
      aria-label={t("inspector.tokens.label")}
      aria-activedescendant={`token-${current}`}
      onPointerOver={(event) => {
        if (event.pointerType === "mouse") pointed.value = indexOf(event.target);
      }}
      onPointerLeave={() => (pointed.value = null)}
      onClick={(event) => {
        const at = indexOf(event.target);
        if (at !== null) chosen.value = at;
      }}
      onKeyDown={(event) => {
        const from = chosen.value ?? current;
        const to = targetOf(event.key, from, count);
        if (event.key === "Escape" && chosen.value !== null) {
          event.preventDefault();
          chosen.value = null;
        }
        if (to === null) return;
        event.preventDefault();
        choose(to);
      }}
    >
      <div ref={content} role="presentation">
        {stretches.map(([from, to]) => (
          <Stretch key={from} reply={reply} from={from} to={to} measure={measure} median={scale} />
        ))}
      </div>
    </div>
  );
}

const elementOf = (at: number) => document.getElementById(`token-${at}`);

function indexOf(target: EventTarget | null): number | null {
  const element = target instanceof Element ? target.closest("[role=option]") : null;
  return element ? Number(element.id.slice("token-".length)) : null;
}

function stretchesOf(tokens: readonly Token[], count: number): [number, number][] {
  const stretches: [number, number][] = [];
  for (let from = 0, to = 0; to < count; ++to) {
    const length = to - from + 1;
    if ((length < LEAST || !tokens[to]!.text.endsWith("\n")) && length < MOST && to + 1 < count) continue;
    stretches.push([from, to + 1]);
    from = to + 1;
  }
  return stretches;
}

interface StretchProps {
  reply: Reply;
  from: number;
  to: number;
  measure: Measure;
  median: number;
}

function Stretch({ reply, from, to, measure, median }: StretchProps) {
  return useMemo(() => {
    const first = Math.max(from - BESIDE, 0);
    const shown = shownOf(reply.tokens.slice(first, to + BESIDE));
    return (
      <div class="stretch" role="presentation">
        {reply.tokens.slice(from, to).map((token, i) => {
          const { text, goesOn, broken } = shown[from - first + i]!;
          const level = levelOf(measure, token, median);
          const kind = `${broken || !text ? "token-odd" : ""} ${token.guessed ? "token-guessed" : ""}`;
          return (
            <span
              key={from + i}
              id={`token-${from + i}`}
              role="option"
              aria-selected="false"
              class={`token heat-${level} ${kind}`}
            >
              {text ? <InText text={text} /> : <span class="unseen">{goesOn ? "‥" : `#${token.id}`}</span>}
            </span>
          );
        })}
      </div>
    );
  }, [reply, from, to, measure, median]);
}

/** Where a key leads from a token; null: it is none for this. */
function targetOf(key: string, from: number, count: number): number | null {
  switch (key) {
    case "ArrowLeft":
      return from - 1;
    case "ArrowRight":
      return from + 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    case "ArrowUp":
      return onNextLine(from, -1, count);
    case "ArrowDown":
      return onNextLine(from, 1, count);
    default:
      return null;
  }
}

/** The token of the line above or below that is nearest to the middle of this one. */
function onNextLine(from: number, step: 1 | -1, count: number): number {
  const box = elementOf(from)?.getBoundingClientRect();
  if (!box) return from + step;
  const middle = (box.left + box.right) / 2;
  let line: number | null = null;
  let best = from;
  let distance = Infinity;
  for (let at = from + step; at >= 0 && at < count; at += step) {
    const next = elementOf(at)?.getBoundingClientRect();
    if (!next || Math.abs(next.top - box.top) < 2) continue;
    line ??= next.top;
    if (Math.abs(next.top - line) > 2) break;
    const away = Math.abs((next.left + next.right) / 2 - middle);
    if (away < distance) [best, distance] = [at, away];
  }
  return best;
}
