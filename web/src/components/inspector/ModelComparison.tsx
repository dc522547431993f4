// How far a model's numbers are from those of another file, usually of the same model with more bits.

import { useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import { errorHeight, errorLevel, type Index } from "../../inspector/anatomy.ts";
import {
  compare,
  type Comparison,
  comparison,
  picked,
  pickTensor,
  stopComparing,
  subject,
} from "../../state/anatomy.ts";
import { server } from "../../state/library.ts";
import { useCanvas } from "./canvas.ts";
import { Fact } from "./Parts.tsx";
import { decibelWords, percent, significant } from "./words.ts";

export function ModelComparison({ index }: { index: Index }) {
  const model = subject.value!;
  const others = server.value!.models.filter(({ name }) => name !== model);
  const [chosen, setChosen] = useState<string | null>(comparison.peek()?.reference ?? null);
  const now = comparison.value;
  const reference = others.find(({ name }) => name === chosen)?.name ?? nearest(model, others);
  const running = now?.state === "running";
  return (
    <>
      <p class="hint">{t("model.comparison.help")}</p>
      {!reference ? (
        <p class="hint">{t("model.comparison.alone")}</p>
      ) : (
        <div class="comparison-choice">
          <label class="model-choice">
            <span>{t("model.reference")}</span>
            <select value={reference} disabled={running} onChange={(event) => setChosen(event.currentTarget.value)}>
              {others.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          {running ? (
            <button type="button" class="button button-small" onClick={stopComparing}>
              {t("model.stop")}
            </button>
          ) : (
            <button type="button" class="button button-small" onClick={() => void compare(model, reference)}>
              {t("model.compare")}
            </button>
          )}
        </div>
      )}
      {now && <Results now={now} index={index} />}
    </>
  );
}

/** The name that begins alike for longest: most likely it is the same model. */
function nearest(model: string, others: readonly { name: string }[]): string | undefined {
  const alike = (name: string) => [...name].findIndex((each, i) => each !== model[i]) >>> 0; // -1, all of it, is most
  return others.reduce((best, each) => (alike(each.name) > alike(best.name) ? each : best), others[0]!)?.name;
}

function Results({ now, index }: { now: Comparison; index: Index }) {
  const { state, pairs, unpaired } = now;
  const worst = [...pairs.values()].reduce((a, b) => (b.nmse > a.nmse ? b : a), { tensor: "", nmse: -1 });
  return (
    <div class="comparison">
      {state === "running" && <progress max={1} value={now.done} aria-label={t("model.comparing")} />}
      <p role="status" class={state === "failed" ? "comparison-failed" : "hint"}>
        {state === "running" ? (
          <>
            {t("model.comparing.with", { name: now.reference })}{" "}
            <span aria-hidden="true">{percent(Math.floor(100 * now.done) / 100)}</span>
          </>
        ) : state === "failed" ? (
          t("model.comparison.failed", { reason: now.problem ?? "" })
        ) : state === "stopped" ? (
          t("model.comparison.stopped", { n: pairs.size })
        ) : (
          t("model.comparison.done", { n: pairs.size, name: now.reference })
        )}
      </p>
      {pairs.size > 0 && (
        <>
          <dl class="facts">
            {now.nmse !== null && (
              <>
                <Fact name={t("model.overall")} title={t("model.overall.help")}>
                  {decibelWords(now.nmse)}
                </Fact>
                <Fact name="NMSE" title={t("model.nmse.help")}>
                  {significant(now.nmse)}
                </Fact>
              </>
            )}
            <Fact name={t("model.identicalCount")}>
              {formatNumber([...pairs.values()].filter(({ nmse }) => nmse === 0).length)}
            </Fact>
            {worst.nmse > 0 && (
              <Fact name={t("model.worst")}>
                <button type="button" class="detail-link" onClick={() => pickTensor(worst.tensor, index)}>
                  <code>{worst.tensor}</code> {decibelWords(worst.nmse)}
                </button>
              </Fact>
            )}
          </dl>
          <Errors now={now} index={index} />
        </>
      )}
      {unpaired.length > 0 && (
        <details class="unpaired">
          <summary>{t("model.unpaired", { n: unpaired.length })}</summary>
          <ul>
            {unpaired.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

const HEIGHT = 96; // pixels
const LABEL = 40;
const DECIBELS = [0, 20, 40];

/** A bar for each tensor; the table has the same in numbers. */
function Errors({ now: { pairs }, index }: { now: Comparison; index: Index }) {
  const all = [...pairs.values()];
  const [over, setOver] = useState<number | null>(null);
  const tensor = picked.value?.tensor;
  const canvas = useCanvas(
    ({ context, width, height, colour, font }) => {
      const step = (width - LABEL) / Math.max(all.length, 24);
      context.font = font(10.5);
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (const decibels of DECIBELS) {
        const y = Math.max((height * decibels) / 60, 0.5);
        context.fillStyle = colour("--line");
        context.fillRect(LABEL, y, width - LABEL, 1);
        context.fillStyle = colour("--text-soft");
        context.fillText(`${decibels} dB`, LABEL - 6, Math.max(y, 6));
      }
      all.forEach((pair, i) => {
        const tall = Math.max(height * errorHeight(pair.nmse), pair.nmse > 0 ? 1 : 0);
        const x = LABEL + i * step;
        context.fillStyle = colour(`--bar-${errorLevel(pair.nmse)}`);
        context.fillRect(x, height - tall, Math.max(step - (step > 4 ? 1 : 0), 1), tall);
        if (pair.tensor !== tensor && i !== over) return;
        context.fillStyle = colour("--text");
        context.fillRect(x + step / 2 - 1, 0, 2, height);
      });
    },
    [pairs, over, tensor],
  );
  const at = (event: PointerEvent | MouseEvent) => {
    const i = Math.floor(((event.offsetX - LABEL) / (canvas.current!.clientWidth - LABEL)) * Math.max(all.length, 24));
    return i >= 0 && i < all.length ? i : null;
  };
  const shown = all[over ?? all.findIndex((each) => each.tensor === tensor)];
  return (
    <figure class="errors">
      <canvas
        ref={canvas}
        aria-hidden="true"
        style={{ blockSize: `${HEIGHT}px` }}
        onPointerMove={(event) => setOver(at(event))}
        onPointerLeave={() => setOver(null)}
        onClick={(event) => {
          const pair = all[at(event) ?? -1];
          if (pair) pickTensor(pair.tensor, index);
        }}
      />
      <figcaption class="hint">
        {shown ? (
          <>
            <code>{shown.tensor}</code> {decibelWords(shown.nmse)} · {shown.reference_format} → {shown.format}
          </>
        ) : (
          t("model.errors.help")
        )}
      </figcaption>
    </figure>
  );
}
