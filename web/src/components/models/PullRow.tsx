// A download: how far it is, and what can be done with it.

import type { Pull } from "../../api/types.ts";
import { formatBytes, formatNumber, t } from "../../i18n/index.ts";
import { dropPull, pause, pull } from "../../state/models.ts";

/** `named`: the row stands alone and says which model it is of. */
export function PullRow({ of, named }: { of: Pull; named?: boolean }) {
  const { model, state, bytes_done, bytes_total } = of;
  const share = bytes_total ? bytes_done / bytes_total : 0;
  const goesOn = state === "running" || state === "waiting";
  return (
    <div class="pull">
      {named && <strong class="pull-name">{model}</strong>}
      <progress aria-label={t("models.progress", { name: model })} {...(bytes_total ? { value: share, max: 1 } : {})} />
      <div class="pull-foot">
        <p class="hint">{progressText(of, share)}</p>
        <span class="model-actions">
          {goesOn ? (
            <button type="button" class="button button-small" onClick={() => void pause(model)}>
              {t("models.pause")}
            </button>
          ) : (
            <button type="button" class="button button-small" onClick={() => void pull(model)}>
              {t(state === "failed" ? "message.retry" : "models.resume")}
            </button>
          )}
          <button type="button" class="button button-small" onClick={() => void dropPull(model)}>
            {t("action.cancel")}
          </button>
        </span>
      </div>
      {of.error && (
        <p class="problem" role="alert">
          {of.error}
        </p>
      )}
    </div>
  );
}

function progressText({ state, stage, bytes_done, bytes_total, bytes_per_second }: Pull, share: number): string {
  if (!bytes_total) return state === "paused" ? t("models.paused") : t("models.beginning");
  const parts = [`${formatBytes(bytes_done)} / ${formatBytes(bytes_total)}`, `${formatNumber(100 * share)} %`];
  if (state === "paused") parts.push(t("models.paused"));
  else if (stage === "verifying") parts.push(t("models.verifying"));
  else if (state === "running" && bytes_per_second > 0) {
    parts.push(t("models.perSecond", { size: formatBytes(bytes_per_second) }));
    parts.push(timeLeft((bytes_total - bytes_done) / bytes_per_second));
  }
  return parts.join(" · ");
}

function timeLeft(seconds: number): string {
  return seconds < 90
    ? t("models.left.seconds", { n: Math.max(1, Math.round(seconds)) })
    : t("models.left.minutes", { n: Math.round(seconds / 60) });
}
