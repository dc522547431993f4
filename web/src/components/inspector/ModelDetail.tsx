// What is picked in the graph or the table: what an operation does, and of one tensor its numbers.

import { formatBytes, formatNumber, t } from "../../i18n/index.ts";
import { getStatistics, type Op, type Pair, type Tensor } from "../../api/anatomy.ts";
import { bitsOf, type Index, shapeOf } from "../../inspector/anatomy.ts";
import { comparison, picked, subject } from "../../state/anatomy.ts";
import { IconButton } from "../IconButton.tsx";
import { Close } from "../icons.tsx";
import { useFetched } from "./fetched.ts";
import { Histogram } from "./Histogram.tsx";
import { activationOf, blockName, explanationOf, titleOf } from "./opWords.ts";
import { Fact, Note } from "./Parts.tsx";
import { decibelWords, percent, significant } from "./words.ts";

export function ModelDetail({ index }: { index: Index }) {
  if (!picked.value) return null;
  const use = index.ops.get(picked.value.op ?? -1);
  const tensor = index.tensors.get(picked.value.tensor ?? "");
  if (!use && !tensor) return null;
  return (
    <section class="model-detail" aria-label={t("model.detail")}>
      <header class="detail-head">
        <h3>{use ? titleOf(use.op) : t("model.tensor")}</h3>
        {use && <span class="detail-place">{blockName(use.block)}</span>}
        <span class="page-header-space" />
        <IconButton icon={Close} size={17} label={t("action.close")} onClick={() => (picked.value = null)} />
      </header>
      {use && (
        <>
          <p class="hint">{explanationOf(use.op)}</p>
          <OpFacts op={use.op} tensor={tensor} />
          {use.op.weights.length > 1 && <Weights op={use.op} />}
        </>
      )}
      {tensor && <OfTensor key={tensor.name} tensor={tensor} index={index} />}
    </section>
  );
}

/** Where its tensor's shape does not tell them. */
function OpFacts({ op, tensor }: { op: Op; tensor: Tensor | undefined }) {
  const { attention, factor = 1, cap = 0 } = op;
  return (
    <dl class="facts">
      {(!tensor || attention) && (
        <Fact name={t("model.valueWidth")} title={t("model.valueWidth.help")}>
          {formatNumber(op.width)}
        </Fact>
      )}
      {op.activation && <Fact name={t("model.op.activate")}>{activationOf(op)}</Fact>}
      {factor !== 1 && <Fact name={t("model.factor")}>{significant(factor)}</Fact>}
      {cap > 0 && <Fact name={t("model.op.cap")}>{significant(cap)}</Fact>}
      {attention && (
        <>
          <Fact name={t("model.headsCount")} title={t("model.headsCount.help")}>
            {attention.heads} / {attention.kv_heads}
          </Fact>
          <Fact name={t("model.headDim")}>{formatNumber(attention.head_dim)}</Fact>
          <Fact name={t("model.sees")}>
            {attention.window
              ? t("model.window", { n: attention.window })
              : t(attention.bidirectional ? "model.sees.all" : "model.sees.earlier")}
          </Fact>
          <Fact name={t("model.positions")}>{attention.rope ? "RoPE" : t("model.positions.none")}</Fact>
          {attention.softcap > 0 && <Fact name={t("model.op.cap")}>{significant(attention.softcap)}</Fact>}
        </>
      )}
    </dl>
  );
}

/** Which of an operation's tensors is shown. */
function Weights({ op }: { op: Op }) {
  return (
    <fieldset class="segments segments-small">
      <legend class="only-heard">{t("model.tensor")}</legend>
      {op.weights.map(({ role, tensor }) => (
        <label key={role}>
          <input
            type="radio"
            name="weight"
            checked={picked.value?.tensor === tensor}
            onChange={() => (picked.value = { op: op.id, tensor })}
          />
          <span>{t(`model.role.${role}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function OfTensor({ tensor, index }: { tensor: Tensor; index: Index }) {
  const model = subject.value!;
  const { name, format, elements, bytes } = tensor;
  const { value, problem, missing } = useFetched(`${model} ${name}`, (signal) => getStatistics(model, name, signal));
  const pair = comparison.value?.pairs.get(name);
  const users = index.uses.get(name) ?? [];
  return (
    <>
      <code class="tensor-name">{name}</code>
      {pair && <Difference pair={pair} />}
      <div class="detail-columns">
        <div>
          <dl class="facts">
            <Fact name={t("model.format")}>{format}</Fact>
            <Fact name={t("model.shape")} title={t("model.shape.help")}>
              {shapeOf(tensor).join(" × ")}
            </Fact>
            <Fact name={t("model.elements")}>{formatNumber(elements)}</Fact>
            <Fact name={t("inspector.bytes")}>{formatBytes(bytes)}</Fact>
            <Fact name={t("model.bits")}>{formatNumber(bitsOf(tensor), undefined, 2)}</Fact>
            {users.length > 1 && (
              <Fact name={t("model.usedBy")}>{[...new Set(users.map(({ op }) => titleOf(op)))].join(", ")}</Fact>
            )}
            {value && (
              <>
                <Fact name={t("model.min")}>{significant(value.min)}</Fact>
                <Fact name={t("model.max")}>{significant(value.max)}</Fact>
                <Fact name={t("model.mean")}>{significant(value.mean)}</Fact>
                <Fact name={t("model.deviation")}>{significant(value.deviation)}</Fact>
                <Fact name={t("model.zeros")}>{percent(value.zeros / (value.elements || 1))}</Fact>
                {value.finite < value.elements && (
                  <Fact name={t("model.notFinite")}>{formatNumber(value.elements - value.finite)}</Fact>
                )}
              </>
            )}
          </dl>
        </div>
        {value ? (
          <Histogram statistics={value} />
        ) : (
          <Note>{problem ?? t(missing ? "model.gone" : "model.reading")}</Note>
        )}
      </div>
    </>
  );
}

function Difference({ pair }: { pair: Pair }) {
  return (
    <dl class="facts model-error">
      <Fact name={t("model.error")}>{decibelWords(pair.nmse)}</Fact>
      <Fact name="NMSE" title={t("model.nmse.help")}>
        {significant(pair.nmse)}
      </Fact>
      <Fact name="RMS" title={t("model.rms.help")}>
        {significant(pair.rms)}
      </Fact>
      <Fact name={t("model.maxError")}>{significant(pair.max_error)}</Fact>
      <Fact name={t("model.cosine")}>{formatNumber(pair.cosine, undefined, 6)}</Fact>
      <Fact name={t("model.formats")}>
        {pair.reference_format} → {pair.format}
      </Fact>
      {pair.not_finite && <Fact name={t("model.notFinite")}>{formatNumber(pair.not_finite)}</Fact>}
      {pair.reference !== pair.tensor && (
        <Fact name={t("model.reference")}>
          <code>{pair.reference}</code>
        </Fact>
      )}
    </dl>
  );
}
