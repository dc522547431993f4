// A model's file: what it consists of, how its tensors are computed with, what their numbers are, and how far they are
// from another file's.

import { useEffect } from "preact/hooks";
import { formatBytes, formatNumber, shortNumber, t } from "../../i18n/index.ts";
import { type Anatomy, getAnatomy } from "../../api/anatomy.ts";
import { bitsOf, type Index, indexOf } from "../../inspector/anatomy.ts";
import { chooseModel, lookAt, stopComparing, subject } from "../../state/anatomy.ts";
import { server } from "../../state/library.ts";
import { useFetched } from "./fetched.ts";
import { ModelComparison } from "./ModelComparison.tsx";
import { ModelDetail } from "./ModelDetail.tsx";
import { ModelGraph } from "./ModelGraph.tsx";
import { Fact, Note } from "./Parts.tsx";
import { TensorTable } from "./TensorTable.tsx";
import { percent, significant } from "./words.ts";

async function load(model: string, signal: AbortSignal) {
  const anatomy = await getAnatomy(model, signal);
  return { model, anatomy, index: indexOf(anatomy) };
}

export function Model() {
  const model = subject.value;
  const { value, problem, missing, loading } = useFetched(model, (signal) => load(model!, signal));
  useEffect(() => lookAt(model), [model]);
  useEffect(() => stopComparing, []);
  if (!model) return <Note>{t(server.value ? "model.none" : "loading")}</Note>;
  const loaded = value?.model === model ? value : null;
  return (
    <div class="model">
      <div class="model-scroll">
        <label class="model-choice">
          <span>{t("report.model")}</span>
          <select value={model} onChange={(event) => chooseModel(event.currentTarget.value)}>
            {server.value!.models.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {loaded ? (
          <Parts key={model} anatomy={loaded.anatomy} index={loaded.index} />
        ) : (
          <Note>{loading || !(problem || missing) ? t("loading") : (problem ?? t("model.gone"))}</Note>
        )}
      </div>
      {loaded && <ModelDetail index={loaded.index} />}
    </div>
  );
}

function Parts({ anatomy, index }: { anatomy: Anatomy; index: Index }) {
  return (
    <>
      <Facts anatomy={anatomy} />
      <Formats anatomy={anatomy} />
      <section>
        <h3>{t("model.comparison")}</h3>
        <ModelComparison index={index} />
      </section>
      <section>
        <h3>{t("model.graph")}</h3>
        <ModelGraph anatomy={anatomy} index={index} />
      </section>
      <section>
        <h3>{t("model.tensors")}</h3>
        <TensorTable anatomy={anatomy} index={index} />
      </section>
    </>
  );
}

function Facts({
  anatomy: { architecture, container, parameters, tensor_bytes, config, tensors },
}: {
  anatomy: Anatomy;
}) {
  const elements = tensors.reduce((sum, each) => sum + each.elements, 0);
  const numbers = config
    ? ([
        ["model.layersCount", config.layers],
        ["model.width", config.width],
        ["model.feedForward", config.feed_forward],
        ["model.headDim", config.head_dim],
        ["model.vocabulary", config.vocabulary_size],
        ["model.context", config.trained_context],
        ["model.windowSize", config.window],
        ["model.rope", config.rope_base],
      ] as const)
    : [];
  return (
    <dl class="facts">
      <Fact name={t("model.architecture")}>{architecture}</Fact>
      <Fact name={t("model.container")}>{container === "gguf" ? "GGUF" : container}</Fact>
      <Fact name={t("model.parameters")}>{shortNumber(parameters)}</Fact>
      <Fact name={t("model.bytes")}>{formatBytes(tensor_bytes)}</Fact>
      <Fact name={t("model.bits")} title={t("model.bits.help")}>
        {formatNumber(bitsOf({ bytes: tensor_bytes, elements }), undefined, 2)}
      </Fact>
      {config && config.heads > 0 && (
        <Fact name={t("model.headsCount")} title={t("model.headsCount.help")}>
          {config.heads} / {config.kv_heads}
        </Fact>
      )}
      {numbers.map(
        ([name, value]) =>
          value > 0 && (
            <Fact key={name} name={t(name)}>
              {formatNumber(value)}
            </Fact>
          ),
      )}
      {config && <Fact name={t("model.epsilon")}>{significant(config.norm_epsilon)}</Fact>}
    </dl>
  );
}

const COLOURS = 5;

/** How many bytes each number format takes. */
function Formats({ anatomy: { formats, tensor_bytes } }: { anatomy: Anatomy }) {
  const share = (bytes: number) => bytes / (tensor_bytes || 1);
  return (
    <section>
      <h3>{t("model.formats")}</h3>
      <div class="formats" aria-hidden="true">
        {formats.map(({ name, bytes }, i) => (
          <span key={name} class={`kind-${i % COLOURS}`} style={{ inlineSize: `${100 * share(bytes)}%` }} />
        ))}
      </div>
      <ul class="formats-list">
        {formats.map(({ name, tensors, elements, bytes }, i) => (
          <li key={name} class={`key kind-key-${i % COLOURS}`}>
            <b>{name}</b>
            <span>{percent(share(bytes))}</span>
            <span>{formatBytes(bytes)}</span>
            <span>{t("model.formats.tensors", { n: tensors })}</span>
            <span>{t("model.bitsEach", { n: formatNumber(bitsOf({ bytes, elements }), undefined, 2) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
