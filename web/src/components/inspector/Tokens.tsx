// The reply's text, token by token: how sure the model was of each, or how long it took; and of one, all about it.

import { signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import { BOUNDS, heightOf, levelOf, type Measure, MEASURES, summaryOf } from "../../inspector/heat.ts";
import { chosen, pointed, type Reply } from "../../state/inspector.ts";
import { recall, remember } from "../../state/storage.ts";
import { useCanvas } from "./canvas.ts";
import { Fact } from "./Parts.tsx";
import { TokenDetail } from "./TokenDetail.tsx";
import { TokenText } from "./TokenText.tsx";
import { bits, milliseconds } from "./words.ts";

const measure = signal<Measure>(MEASURES.find((each) => each === recall("ingle.inspector.heat")) ?? "entropy");

export function Tokens({ reply }: { reply: Reply }) {
  const count = reply.count.value;
  const { finish, error } = reply.head.value;
  const writing = finish === null;
  // What is chosen; while nothing is, the newest, as long as there are further ones.
  const current = pointed.value ?? chosen.value ?? (writing ? count - 1 : 0);
  const summary = useMemo(() => summaryOf(reply.tokens), [reply, count]);
  if (!count) {
    const why = writing
      ? t("message.waiting")
      : error
        ? t("message.failed", { reason: error })
        : t("inspector.noTokens");
    return <p class="hint inspector-coming">{why}</p>;
  }
  return (
    <div class="tokens">
      <div class="tokens-side">
        <div class="tokens-bar">
          <HeatChoice />
          <Legend median={summary.ms} />
        </div>
        <Overview reply={reply} count={count} current={current} median={summary.ms} />
        <TokenText reply={reply} count={count} current={current} measure={measure.value} median={summary.ms} />
        <dl class="facts tokens-sum">
          <Fact name={t("inspector.sum.tokens")}>{formatNumber(summary.tokens)}</Fact>
          <Fact name={t("inspector.sum.entropy")}>{bits(summary.entropy)}</Fact>
          <Fact name={t("inspector.sum.perplexity")}>{formatNumber(summary.perplexity, undefined, 2)}</Fact>
          <Fact name={t("inspector.sum.ms")}>{milliseconds(summary.ms)}</Fact>
          {summary.guessed > 0 && <Fact name={t("inspector.sum.guessed")}>{formatNumber(summary.guessed)}</Fact>}
        </dl>
      </div>
      <TokenDetail reply={reply} at={Math.min(Math.max(current, 0), count - 1)} count={count} />
    </div>
  );
}

function HeatChoice() {
  return (
    <fieldset class="segments segments-small">
      <legend class="only-heard">{t("inspector.heat")}</legend>
      {MEASURES.map((each) => (
        <label key={each}>
          <input
            type="radio"
            name="heat"
            checked={measure.value === each}
            onChange={() => {
              measure.value = each;
              remember("ingle.inspector.heat", each);
            }}
          />
          <span>{t(`inspector.heat.${each}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What the eight shades mean; the lines below tokens say the same by their height. */
function Legend({ median }: { median: number }) {
  const of = measure.value;
  const bounds = BOUNDS[of];
  const label = (level: number) => {
    const bound = bounds[level - 1]!;
    if (of === "time") return formatNumber(bound * median, undefined, median < 10 ? 1 : 0);
    return of === "probability" ? formatNumber(100 * bound) : formatNumber(bound, undefined, 2);
  };
  const unit = of === "time" ? "ms" : of === "probability" ? "%" : t("inspector.bits.unit");
  return (
    <div class="legend" role="img" aria-label={t(`inspector.legend.${of}`)} title={t(`inspector.legend.${of}`)}>
      {[0, ...bounds].map((_, level) => (
        <span key={level} class={`legend-step heat-${level}`}>
          {level > 0 && <span class="legend-bound">{label(level)}</span>}
        </span>
      ))}
      <span class="legend-unit">{unit}</span>
    </div>
  );
}

interface OverviewProps {
  reply: Reply;
  count: number;
  current: number;
  median: number;
}

/** A short reply does not fill the width. */
const SLOTS = 48;

/** The whole reply as bars, one for each token or few; the text below is the same for those who listen. */
function Overview({ reply, count, current, median }: OverviewProps) {
  const of = measure.value;
  const dragging = useRef(false);
  const canvas = useCanvas(
    ({ context, width, height, colour }) => {
      const step = width / Math.max(count, SLOTS);
      const group = Math.max(1, Math.ceil(1 / step));
      for (let from = 0; from < count; from += group) {
        const to = Math.min(from + group, count);
        let level = 0;
        let share = 0;
        for (let i = from; i < to; ++i) {
          level = Math.max(level, levelOf(of, reply.tokens[i]!, median));
          share = Math.max(share, heightOf(of, reply.tokens[i]!, median));
        }
        const tall = 2 + (height - 4) * share;
        context.fillStyle = colour(`--bar-${level}`);
        context.fillRect(from * step, height - tall, Math.max(step * (to - from) - (step > 4 ? 1 : 0), 1), tall);
      }
      context.fillStyle = colour("--text");
      context.fillRect(current * step + step / 2 - 1, 0, 2, height);
    },
    [reply, count, current, of, median],
  );
  const choose = (event: PointerEvent) => {
    const { left, width } = canvas.current!.getBoundingClientRect();
    const at = Math.floor(((event.clientX - left) / width) * Math.max(count, SLOTS));
    chosen.value = Math.max(0, Math.min(count - 1, at));
  };
  return (
    <canvas
      ref={canvas}
      class="overview"
      aria-hidden="true"
      onPointerDown={(event) => {
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        choose(event);
      }}
      onPointerMove={(event) => dragging.current && choose(event)}
      onPointerUp={() => (dragging.current = false)}
    />
  );
}
