// The model's graph: its input, one drawing for each kind of layer, its output. What runs through all layers enters and
// leaves each drawing where its line does.

import { useMemo } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import type { Anatomy, Block } from "../../api/anatomy.ts";
import { type Index, kindsOf, rangesOf } from "../../inspector/anatomy.ts";
import { drawnLayers, picked } from "../../state/anatomy.ts";
import { GraphBlock } from "./GraphBlock.tsx";
import { Choice, Note } from "./Parts.tsx";

export function ModelGraph({ anatomy, index }: { anatomy: Anatomy; index: Index }) {
  const { blocks, reason } = anatomy;
  const kinds = useMemo(() => kindsOf(blocks), [blocks]);
  const draw = (block: Block | undefined) => block && <GraphBlock block={block} index={index} />;
  if (!blocks.length) return <Note>{reason ?? t("model.graph.none")}</Note>;
  return (
    <>
      <p class="keys-line">
        {(["matmul", "norm", "attention", "other"] as const).map((family) => (
          <span key={family} class={`key key-${family}`}>
            {t(`model.family.${family}`)}
          </span>
        ))}
        <span class="key key-residual">{t("model.residual")}</span>
      </p>
      <div class="graph">
        <h4>{t("model.block.input")}</h4>
        {draw(blocks.find(({ kind }) => kind === "input"))}
        {kinds.map(({ like, layers }) => (
          <Layers key={like} like={like} layers={layers} blocks={blocks} index={index} />
        ))}
        <h4>{t("model.block.output")}</h4>
        {draw(blocks.find(({ kind }) => kind === "output"))}
      </div>
    </>
  );
}

interface LayersProps {
  like: number;
  layers: readonly number[];
  blocks: readonly Block[];
  index: Index;
}

function Layers({ like, layers, blocks, index }: LayersProps) {
  const at = Math.max(layers.indexOf(drawnLayers.value.get(like) ?? like), 0);
  const blockAt = (i: number) => blocks.find(({ kind, layer }) => kind === "layer" && layer === layers[i])!;
  const block = blockAt(at);
  return (
    <>
      <h4>
        {layers.length === 1
          ? t("model.block.layer", { layer: String(layers[0]) })
          : t("model.layers", { layers: rangesOf(layers) })}
      </h4>
      {layers.length > 1 && (
        <Choice
          name={t("model.layer.choose")}
          value={at}
          from={0}
          to={layers.length - 1}
          say={String(layers[at])}
          choose={(to) => {
            drawnLayers.value = new Map(drawnLayers.peek()).set(like, layers[to]!);
            pickSame(block, blockAt(to));
          }}
        />
      )}
      <GraphBlock block={block} index={index} />
    </>
  );
}

/** What is picked in one layer is picked in the other one instead. */
function pickSame(from: Block, to: Block) {
  const { op = null, tensor = null } = picked.peek() ?? {};
  const before = from.ops.find(({ id }) => id === op);
  const after = before && to.ops[from.ops.indexOf(before)];
  if (!before || !after) return;
  const weight = before.weights.findIndex((each) => each.tensor === tensor);
  picked.value = { op: after.id, tensor: after.weights[weight]?.tensor ?? null };
}
