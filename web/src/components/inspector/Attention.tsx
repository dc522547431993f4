// Where a token's pass looked: each head of each layer small, one of them large on the text itself.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import { largestOf, meanOf } from "../../inspector/bins.ts";
import { shade } from "../../inspector/heat.ts";
import { shownOf } from "../../inspector/pieces.ts";
import { focused, type Reply } from "../../state/inspector.ts";
import { AttentionMap } from "./AttentionMap.tsx";
import { useAttention } from "./attentionLayers.ts";
import { NotKept } from "./Layers.tsx";
import { Bar, Chip, Choice, InText, Note, TokenStrip } from "./Parts.tsx";
import { percent } from "./words.ts";

const LISTED = 12;
/** Instead of a head: the mean of all. */
export const MEAN = -1;

export function Attention({ reply }: { reply: Reply }) {
  const token = focused.value;
  const { layers, heads, layers_from } = reply.head.value;
  const layer = useSignal(Math.min(layers - 1, layers >> 1));
  const head = useSignal(MEAN);
  const kept = layers_from !== null && token >= layers_from && reply.count.value > 0;
  const { maps, missing, problem } = useAttention(kept ? reply.id : null, token, layers, layer.value);
  const map = maps[layer.value];
  const weights = useMemo(
    () => (!map ? [] : head.value === MEAN ? meanOf(map.heads) : (map.heads[head.value] ?? [])),
    [map, head.value],
  );
  return (
    <div class="attention">
      <TokenStrip reply={reply} />
      {!kept || missing ? (
        <NotKept reply={reply} />
      ) : problem ? (
        <Note>{problem}</Note>
      ) : (
        <>
          <AttentionMap
            maps={maps}
            layers={layers}
            heads={heads}
            layer={layer.value}
            head={head.value}
            choose={(toLayer, toHead) => {
              layer.value = toLayer;
              head.value = toHead;
            }}
          />
          <div class="attention-choice">
            <Choice
              name={t("inspector.layers.layer")}
              value={layer.value}
              from={0}
              to={layers - 1}
              say={formatNumber(layer.value)}
              choose={(to) => (layer.value = to)}
            />
            <Choice
              name={t("inspector.attention.head")}
              value={head.value}
              from={MEAN}
              to={heads - 1}
              say={head.value === MEAN ? t("inspector.attention.mean") : formatNumber(head.value)}
              choose={(to) => (head.value = to)}
            />
          </div>
          {map ? (
            <OnText reply={reply} first={map.first} position={map.position} weights={weights} />
          ) : (
            <Note>{t("loading")}</Note>
          )}
        </>
      )}
    </div>
  );
}

interface OnTextProps {
  reply: Reply;
  first: number;
  position: number;
  weights: readonly number[];
}

/** What was seen, each token as warm as the weight that it got; and the places with the most. */
function OnText({ reply, first, position, weights }: OnTextProps) {
  const pieces = useMemo(() => {
    const { prompt } = reply.head.peek();
    const all = [...prompt, ...reply.tokens.slice(0, Math.max(position + 1 - prompt.length, 0))];
    return shownOf(all).map((shown, i) => ({ ...shown, special: "special" in all[i]! && all[i].special }));
  }, [reply, position]);
  // Much goes to the first position whatever it is; what is left is to be seen, too.
  const most = Math.max(...weights.slice(first === 0 ? 1 : 0), 1e-6);
  const places = largestOf(weights, LISTED);
  return (
    <div class="attention-columns">
      <div class="attention-text" tabIndex={0} role="region" aria-label={t("inspector.attention.text")} dir="auto">
        {pieces.slice(first, position + 1).map(({ text, special }, i) => (
          <span
            key={i}
            class={`piece heat-${shade((weights[i] ?? 0) / most)} ${special ? "piece-special" : ""} ${first + i === position ? "piece-query" : ""}`}
            title={`${first + i} · ${percent(weights[i] ?? 0)}`}
          >
            <InText text={text} />
          </span>
        ))}
      </div>
      <div class="attention-most">
        <h3>{t("inspector.attention.most")}</h3>
        <ol class="alternatives">
          {places.map((i) => (
            <li key={i}>
              <span class="alternative-rank">{first + i}</span>
              <Chip text={pieces[first + i]?.text ?? ""} special={pieces[first + i]?.special ?? false} />
              <Bar share={weights[i]!} />
              <span class="alternative-share">{percent(weights[i]!)}</span>
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
