// Says that the inspector records, and what that costs: of each token's time, and in memory.

import { formatBytes, t } from "../../i18n/index.ts";
import { shown, stream, type Reply } from "../../state/inspector.ts";
import { milliseconds, percent } from "./words.ts";

export function Cost() {
  const state = stream.value;
  return (
    <p class={`inspector-cost inspector-cost-${state}`} role="status">
      <span class="inspector-light" />
      <span>
        {state === "lost" ? t("inspector.lost") : state === "connecting" ? t("loading") : t("inspector.recording")}
      </span>
      {state === "open" && shown.value && <OfThis reply={shown.value} />}
    </p>
  );
}

function OfThis({ reply }: { reply: Reply }) {
  const head = reply.head.value;
  const tokens = reply.count.value;
  if (head.finish === null || !tokens) return <span class="inspector-cost-value">{t("inspector.cost.later")}</span>;
  const ms = reply.tokens.reduce((sum, token) => sum + token.ms / Math.max(token.rows, 1), 0) / tokens;
  const cost = head.observing_ms / tokens;
  return (
    <span class="inspector-cost-value" title={t("inspector.cost.title")}>
      {t("inspector.cost", {
        cost: milliseconds(cost),
        ms: milliseconds(ms),
        percent: percent(ms ? cost / ms : 0),
      })}
      {head.layers_from !== null && ` · ${t("inspector.cost.memory", { size: formatBytes(layerBytes(reply)) })}`}
    </span>
  );
}

/** What the residual streams and queries of the kept tokens take, about: 4 bytes a value. */
function layerBytes(reply: Reply): number {
  const { layers, width, layers_from } = reply.head.value;
  return (reply.count.value - (layers_from ?? 0)) * 4 * ((layers + 1) * width + layers * width);
}
