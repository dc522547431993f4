// How much of the model's context the conversation fills, by the newest reply's report.

import { useComputed } from "@preact/signals";
import { formatNumber, t } from "../../i18n/index.ts";
import { opened, type OpenConversation } from "../../state/conversation.ts";
import type { Report } from "../../api/types.ts";

const RADIUS = 7;
const AROUND = 2 * Math.PI * RADIUS;

export function ContextGauge() {
  const report = useComputed(() => newestReport(opened.value)).value;
  if (!report?.context_length) return null;
  const used = report.prompt_n + report.cache_n + report.predicted_n;
  const share = Math.min(used / report.context_length, 1);
  const text = t("context.used", {
    used: formatNumber(used),
    length: formatNumber(report.context_length),
    percent: formatNumber(100 * share),
  });
  return (
    <div class={`gauge ${share > 0.85 ? "gauge-full" : ""}`} role="img" aria-label={text} title={text}>
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        <circle class="gauge-track" cx="10" cy="10" r={RADIUS} />
        <circle
          class="gauge-value"
          cx="10"
          cy="10"
          r={RADIUS}
          stroke-dasharray={`${share * AROUND} ${AROUND}`}
          transform="rotate(-90 10 10)"
        />
      </svg>
      <span class="gauge-text">
        {formatNumber(used)} / {formatNumber(report.context_length)}
      </span>
    </div>
  );
}

function newestReport(conversation: OpenConversation | null): Report | null {
  const branch = conversation?.branch.value ?? [];
  for (let i = branch.length - 1; i >= 0; --i) {
    const report = conversation!.message(branch[i]!)?.value.report;
    if (report) return report;
  }
  return null;
}
