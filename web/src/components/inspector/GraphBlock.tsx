// One block of the graph as a drawing, from top to bottom. Its operations are the options of a list that the keyboard
// goes through in the order in which they are computed.

import { useMemo, useState } from "preact/hooks";
import { language } from "../../state/settings.ts";
import { t } from "../../i18n/index.ts";
import type { Block, Op } from "../../api/anatomy.ts";
import { errorLevel, type Index } from "../../inspector/anatomy.ts";
import { type Edge, layOut, type Point, type Size } from "../../inspector/layout.ts";
import { comparison, picked } from "../../state/anatomy.ts";
import { textWidth } from "./canvas.ts";
import { blockName, enterWords, familyOf, formatWords, leaveWords, shapeWords, titleOf } from "./opWords.ts";

/** An operation, or a place where a value enters from another block or leaves for one. */
interface Node extends Size {
  op: Op | null;
  lines: string[];
}

const TITLE = 12; // pixels, as in model_graph.css
const TEXT = 11;
const LINE = 14;

export function GraphBlock({ block, index }: { block: Block; index: Index }) {
  const drawing = useMemo(() => draw(block, index), [block, index, language.value]);
  const [over, setOver] = useState<number | null>(null);
  const { nodes, edges, layout } = drawing;
  const chosen = block.ops.findIndex(({ id }) => id === picked.value?.op);
  const near = over ?? picked.value?.op ?? null;
  const idOf = (op: Op) => `op-${op.id}`;
  const pick = (at: number) => {
    const op = block.ops[Math.max(0, Math.min(at, block.ops.length - 1))]!;
    picked.value = { op: op.id, tensor: op.weights[0]?.tensor ?? null };
    // In sight also beside what is told of it, which is there only then.
    requestAnimationFrame(() => document.getElementById(idOf(op))?.scrollIntoView({ block: "nearest" }));
  };
  return (
    <div
      class="graph-block"
      role="listbox"
      tabIndex={0}
      aria-label={t("model.graph.label", { block: blockName(block) })}
      {...(chosen < 0 ? {} : { "aria-activedescendant": idOf(block.ops[chosen]!) })}
      onKeyDown={(event) => {
        const to = {
          ArrowDown: chosen + 1,
          ArrowRight: chosen + 1,
          ArrowUp: chosen - 1,
          ArrowLeft: chosen - 1,
          Home: 0,
          End: block.ops.length - 1,
        }[event.key];
        if (event.key === "Escape" && chosen >= 0) picked.value = null;
        else if (to === undefined) return;
        else pick(to);
        event.preventDefault();
      }}
    >
      <svg
        role="presentation"
        width={layout.width + 2 * MARGIN}
        height={layout.height + 2 * MARGIN}
        viewBox={`${-MARGIN} ${-MARGIN} ${layout.width + 2 * MARGIN} ${layout.height + 2 * MARGIN}`}
      >
        {edges.map(({ from, to, residual }, i) => (
          <path
            key={i}
            class={`edge ${residual ? "edge-residual" : ""} ${
              near !== null && (nodes[from]!.op?.id === near || nodes[to]!.op?.id === near) ? "edge-near" : ""
            }`}
            d={curve(layout.paths[i]!) + arrow(layout.paths[i]!.at(-1)!)}
          />
        ))}
        {nodes.map((node, i) =>
          node.op ? (
            <Operation
              key={node.op.id}
              id={idOf(node.op)}
              node={{ ...node, op: node.op }}
              place={layout.places[i]!}
              takes={edges.filter(({ to }) => to === i).map(({ from }) => nodes[from]!.lines[0]!)}
              chosen={node.op.id === picked.value?.op}
              pick={() => pick(block.ops.indexOf(node.op!))}
              point={(on) => setOver(on ? node.op!.id : null)}
            />
          ) : (
            <text key={`port ${i}`} class="port" {...layout.places[i]!} dy="0.35em" aria-hidden="true">
              {node.lines[0]}
            </text>
          ),
        )}
      </svg>
    </div>
  );
}

interface OperationProps {
  id: string;
  node: Node & { op: Op };
  place: Point;
  takes: string[];
  chosen: boolean;
  pick: () => void;
  point: (on: boolean) => void;
}

function Operation({ id, node, place, takes, chosen, pick, point }: OperationProps) {
  const { op, lines, width, height } = node;
  const errors = op.weights.flatMap(({ tensor }) => comparison.value?.pairs.get(tensor)?.nmse ?? []);
  const top = place.y - height / 2;
  return (
    <g
      id={id}
      role="option"
      aria-selected={chosen}
      aria-label={`${lines.join(", ")}${takes.length ? `. ${t("model.takes", { names: takes.join(", ") })}` : ""}`}
      class={`node node-${familyOf(op)} ${errors.length ? `node-compared heat-${errorLevel(Math.max(...errors))}` : ""}`}
      onClick={pick}
      onPointerEnter={() => point(true)}
      onPointerLeave={() => point(false)}
    >
      <rect x={place.x - width / 2} y={top} width={width} height={height} rx={8} />
      {lines.map((line, i) => (
        <text
          key={i}
          class={i ? "node-text" : "node-title"}
          x={place.x}
          y={top + (height - LINE * lines.length) / 2 + LINE * (i + 0.5)}
          dy="0.35em"
        >
          {`${line} `}
        </text>
      ))}
    </g>
  );
}

const MARGIN = 4; // for outlines

interface Drawn extends Edge {
  residual: boolean;
}

function draw(block: Block, index: Index) {
  const outside = [...new Set(block.ops.flatMap(({ inputs }) => inputs))].filter(
    (id) => index.ops.get(id)?.block !== block && index.ops.has(id),
  );
  const nodes: Node[] = outside.map((id) => portOf(enterWords(index.ops.get(id)!.block)));
  const at = new Map(outside.map((id, i) => [id, i]));
  const edges: Drawn[] = [];
  for (const op of block.ops) {
    at.set(op.id, nodes.length);
    const from = op.inputs.flatMap((id) => at.get(id) ?? []);
    edges.push(...from.map((from) => ({ from, to: nodes.length, residual: false })));
    nodes.push(nodeOf(op, index));
  }
  for (const op of block.ops) {
    const next = index.users.get(op.id)?.find((use) => use.block !== block);
    if (!next) continue;
    edges.push({ from: at.get(op.id)!, to: nodes.length, residual: op.op === "add" });
    nodes.push(portOf(leaveWords(next.block)));
  }
  const layout = layOut(nodes, edges);
  // A sum takes what has passed a branch by, and what the branch gave: of its edges, the long one is the stream.
  edges.forEach((edge, i) => {
    if (nodes[edge.to]!.op?.op === "add" && layout.paths[i]!.length > 2) edge.residual = true;
  });
  return { nodes, edges, layout };
}

function portOf(text: string): Node {
  return { op: null, lines: [text], width: textWidth(text, TEXT) + 8, height: 16 };
}

function nodeOf(op: Op, { tensors }: Index): Node {
  const lines = [titleOf(op), shapeWords(op, tensors), formatWords(op, tensors)].filter(Boolean);
  const width = Math.max(textWidth(lines[0]!, TITLE, 600), ...lines.slice(1).map((line) => textWidth(line, TEXT)));
  return { op, lines, width: Math.max(Math.ceil(width) + 20, 56), height: LINE * lines.length + 12 };
}

/** Through all points, down each; bent between those that are not above each other. */
const curve = (points: readonly Point[]) =>
  points
    .map(({ x, y }, i) => {
      if (!i) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
      const before = points[i - 1]!;
      const middle = ((before.y + y) / 2).toFixed(1);
      return `C${before.x.toFixed(1)} ${middle} ${x.toFixed(1)} ${middle} ${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");

const arrow = ({ x, y }: Point) => `m-3.5 -5L${x.toFixed(1)} ${y.toFixed(1)}l3.5 -5`;
