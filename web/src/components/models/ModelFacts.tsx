// What a model takes and how fast it is: memory as a bar and in words, the prediction, and what was measured.

import type { CatalogueModel, MeasuredSpeed, MemoryNeeds, SpeedRange } from "../../api/types.ts";
import { formatBytes, formatNumber, t } from "../../i18n/index.ts";

export function ModelFacts({ model, free }: { model: CatalogueModel; free: number }) {
  const { memory, speed, measured, loaded, fits } = model;
  return (
    <>
      {memory && (
        <p class={fits ? "model-fact" : "model-fact problem"}>
          {t(loaded ? "models.memory" : fits ? "models.fits" : "models.tooLarge", {
            size: formatBytes(memory.total_bytes),
            n: memory.context_length,
            free: formatBytes(free),
          })}
          {fits && memory.streamed_bytes > 0
            ? ` ${t("models.streamed", { size: formatBytes(memory.streamed_bytes) })}`
            : ""}
        </p>
      )}
      {(speed || measured.decode_tps || measured.prefill_tps) && (
        <dl class="speeds">
          <SpeedLine name={t("models.writes")} told={speed?.decode_tps} measured={measured.decode_tps} />
          <SpeedLine name={t("models.reads")} told={speed?.prefill_tps} measured={measured.prefill_tps} />
        </dl>
      )}
      {memory && <Where memory={memory} />}
    </>
  );
}

interface SpeedProps {
  name: string;
  told: SpeedRange | undefined;
  measured: MeasuredSpeed | null;
}

function SpeedLine({ name, told, measured }: SpeedProps) {
  if (!told && !measured) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {told &&
          t("models.speed.told", {
            speed: rate(told.expected),
            least: rate(told.least),
            most: rate(told.most),
          })}
        {measured && (
          <span class="measured">
            {t("models.speed.measured", { speed: rate(measured.tokens_per_second), n: measured.runs })}
          </span>
        )}
      </dd>
    </div>
  );
}

/** With as many digits as a prediction is worth. */
const rate = (value: number) => formatNumber(Number(value.toPrecision(2)), undefined, 1);

function Where({ memory }: { memory: MemoryNeeds }) {
  const parts: [string, number][] = [
    [t("models.memory.weights"), memory.weight_bytes],
    [t("models.memory.context"), memory.state_bytes],
    [t("models.memory.working"), memory.working_bytes],
    [t("models.memory.other"), memory.other_bytes],
  ];
  return (
    <details class="where">
      <summary>{t("models.memory.where")}</summary>
      <div class="where-bar" aria-hidden="true">
        {parts.map(([name, bytes], index) => (
          <span key={name} class={`where-${index}`} style={{ flexGrow: bytes }} />
        ))}
      </div>
      <dl>
        {parts.map(([name, bytes], index) => (
          <div key={name}>
            <dt>
              <span class={`where-dot where-${index}`} />
              {name}
            </dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
