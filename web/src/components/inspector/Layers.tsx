// The logit lens: what the output layer would say after each layer, in the pass that chose the token.

import { formatNumber, t } from "../../i18n/index.ts";
import { getLens, type Lens, type LensLayer } from "../../api/inspector.ts";
import { shade } from "../../inspector/heat.ts";
import { plainOf, textOf } from "../../inspector/pieces.ts";
import { focused, recordLayers, type Reply } from "../../state/inspector.ts";
import { useFetched } from "./fetched.ts";
import { Chip, Note, RecordNext, TokenStrip } from "./Parts.tsx";
import { percent } from "./words.ts";

const TOP = 5;

export function Layers({ reply }: { reply: Reply }) {
  const token = focused.value;
  const { layers_from } = reply.head.value;
  const kept = layers_from !== null && token >= layers_from && reply.count.value > 0;
  const { value, missing, problem, loading } = useFetched(kept ? `${reply.id} ${token}` : null, (signal) =>
    getLens(reply.id, token, TOP, signal),
  );
  return (
    <div class="layers">
      <TokenStrip reply={reply} />
      {!kept || missing ? (
        <NotKept reply={reply} />
      ) : problem ? (
        <Note>{problem}</Note>
      ) : !value ? (
        <Note>{t("loading")}</Note>
      ) : (
        <div class={loading ? "fading" : ""}>
          <Rise lens={value} id={reply.tokens[value.token]?.id ?? -1} />
          <Table lens={value} id={reply.tokens[value.token]?.id ?? -1} />
        </div>
      )}
    </div>
  );
}

/** Why there are no layers of this token, and what to do about it. */
export function NotKept({ reply }: { reply: Reply }) {
  const { layers_from } = reply.head.value;
  return (
    <Note>
      {t(layers_from === null ? "inspector.layers.none" : "inspector.layers.gone")}
      {layers_from === null && <RecordNext id={reply.id} setting={recordLayers} label={t("inspector.recordLayers")} />}
    </Note>
  );
}

/** From which layer on the chosen token stays the likeliest; -1: not even at the end. */
export function settledAt(layers: readonly LensLayer[]): number {
  let at = layers.length;
  while (at > 0 && layers[at - 1]!.rank === 0) --at;
  return at === layers.length ? -1 : at;
}

const nameOf = (name: string) => (name === "embedding" ? t("inspector.layers.embedding") : name);

/** The chosen token's probability and rank by layer, as two curves. */
function Rise({ lens: { layers } }: { lens: Lens; id: number }) {
  const width = 600;
  const height = 90;
  const x = (i: number) => (layers.length < 2 ? 0 : (i * width) / (layers.length - 1));
  const most = Math.log2(Math.max(...layers.map(({ rank }) => rank)) + 2);
  const line = (of: (layer: LensLayer) => number) =>
    layers.map((layer, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${(height * (1 - of(layer))).toFixed(1)}`).join("");
  const probability = line((layer) => layer.probability);
  const rank = line((layer) => 1 - Math.log2(layer.rank + 1) / most);
  const at = settledAt(layers);
  const said =
    at < 0
      ? t("inspector.layers.unsettled")
      : at === 0
        ? t("inspector.layers.always")
        : t("inspector.layers.settled", { layer: nameOf(layers[at]!.name) });
  return (
    <figure class="rise">
      <figcaption>
        <strong>{said}</strong>
        <span class="key key-line-1">{t("inspector.probability")}</span>
        <span class="key key-line-2">{t("inspector.layers.rankAxis")}</span>
      </figcaption>
      <svg viewBox={`0 -4 ${width} ${height + 8}`} preserveAspectRatio="none" role="img" aria-label={said}>
        {at > 0 && <rect class="rise-settled" x={x(at)} y={-4} width={width - x(at)} height={height + 8} />}
        <path class="rise-area" d={`${probability}L${width} ${height}L0 ${height}Z`} />
        <path class="rise-rank" d={rank} />
        <path class="rise-line" d={probability} />
      </svg>
    </figure>
  );
}

function Table({ lens: { layers }, id }: { lens: Lens; id: number }) {
  return (
    <div class="lens-frame" tabIndex={0} role="region" aria-label={t("inspector.layers.label")}>
      <table class="lens">
        <thead>
          <tr>
            <th scope="col">{t("inspector.layers.layer")}</th>
            <th scope="col">{t("inspector.rank")}</th>
            <th scope="col">{t("inspector.entropy")}</th>
            {Array.from({ length: TOP }, (_, i) => (
              <th key={i} scope="col">
                {t("inspector.layers.top", { n: i + 1 })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layers.map(({ name, rank, entropy, probability, top }) => (
            <tr key={name}>
              <th scope="row">{nameOf(name)}</th>
              <td title={percent(probability)}>{formatNumber(rank + 1)}</td>
              <td>{formatNumber(entropy, undefined, 1)}</td>
              {top.map((each, i) => (
                <td
                  key={i}
                  class={`lens-cell heat-${shade(each.probability)} ${each.id === id ? "lens-taken" : ""}`}
                  title={`${plainOf(textOf(each))} · ${percent(each.probability)}`}
                >
                  <div>
                    <Chip text={textOf(each)} />
                    <span class="lens-share">{percent(each.probability)}</span>
                  </div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
