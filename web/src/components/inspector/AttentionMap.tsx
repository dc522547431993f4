// Small multiples: a row for each layer, in it a cell for each head, in it the weights from the first position to the
// last. For the pointer; layers and heads are chosen by sliders, too.

import { t } from "../../i18n/index.ts";
import type { Attention } from "../../api/inspector.ts";
import { largestIn } from "../../inspector/bins.ts";
import { shade } from "../../inspector/heat.ts";
import { useCanvas } from "./canvas.ts";

interface Props {
  maps: readonly (Attention | undefined)[];
  layers: number;
  heads: number;
  layer: number;
  head: number;
  choose: (layer: number, head: number) => void;
}

const LABEL = 24; // pixels
const GAP = 2;

export function AttentionMap({ maps, layers, heads, layer, head, choose }: Props) {
  const row = Math.max(Math.min(Math.floor(360 / layers), 14), 5);
  const height = layers * row + 16;
  const canvas = useCanvas(
    ({ context, width, colour, font }) => {
      const cell = (width - LABEL) / heads;
      context.font = font(10);
      context.fillStyle = colour("--text-faint");
      context.textAlign = "center";
      const every = Math.ceil(heads / Math.max(Math.floor((width - LABEL) / 22), 1));
      for (let h = 0; h < heads; h += every) context.fillText(String(h), LABEL + (h + 0.5) * cell, 10);
      context.textAlign = "right";
      const lines = Math.ceil(layers / Math.floor((layers * row) / 13));
      for (let l = 0; l < layers; ++l) {
        const y = 16 + l * row;
        context.fillStyle = colour(l === layer ? "--text" : "--text-faint");
        if (l % lines === 0 || l === layer) context.fillText(String(l), LABEL - 5, y + row / 2 + 3.5);
        for (let h = 0; h < heads; ++h) {
          const x = LABEL + h * cell;
          context.fillStyle = colour("--cell");
          context.fillRect(x, y, cell - GAP, row - 1);
          const weights = maps[l]?.heads[h];
          if (weights) strip(context, weights, x, y, cell - GAP, row - 1, colour);
        }
      }
      context.strokeStyle = colour("--text");
      context.lineWidth = 1.5;
      const x = LABEL + Math.max(head, 0) * cell;
      const wide = head < 0 ? cell * heads - GAP : cell - GAP;
      context.strokeRect(x - 0.5, 16 + layer * row - 1, wide + 1, row + 1);
    },
    [maps, layers, heads, layer, head],
  );
  return (
    <canvas
      ref={canvas}
      class="attention-map"
      aria-hidden="true"
      title={t("inspector.attention.map")}
      style={{ blockSize: `${height}px` }}
      onClick={(event) => {
        const cell = (event.currentTarget.clientWidth - LABEL) / heads;
        const toLayer = Math.floor((event.offsetY - 16) / row);
        const toHead = Math.floor((event.offsetX - LABEL) / cell);
        if (toLayer >= 0 && toLayer < layers) choose(toLayer, Math.min(Math.max(toHead, -1), heads - 1));
      }}
    />
  );
}

function strip(
  context: CanvasRenderingContext2D,
  weights: readonly number[],
  x: number,
  y: number,
  width: number,
  height: number,
  colour: (name: string) => string,
) {
  const count = Math.min(Math.max(Math.floor(width / 2), 1), Math.max(weights.length, 1));
  const bins = largestIn(weights, count);
  const step = width / count;
  bins.forEach((weight, i) => {
    const level = shade(weight);
    if (!level) return;
    context.fillStyle = colour(`--bar-${level}`);
    context.fillRect(x + i * step, y, step + 0.25, height);
  });
}
