// What operations and blocks are called, and what they do, in the field's terms.

import { en } from "../../i18n/en.ts";
import { type Key, t } from "../../i18n/index.ts";
import type { Block, Op, Tensor } from "../../api/anatomy.ts";
import { partOf } from "../../inspector/anatomy.ts";

/** The name of a part such as a query's matrix, or of what the operation does. */
export function titleOf(op: Op): string {
  if (op.op === "scale" && op.cap) return t("model.op.cap");
  if (op.op === "matmul" || op.op === "embed") {
    for (const name of [op.name, op.weights[0]?.tensor ?? ""]) {
      const key = `model.part.${op.op}.${partOf(name)}`;
      if (key in en) return t(key as Key);
    }
  }
  return wordOf("model.op", op.op);
}

export const explanationOf = (op: Op) =>
  op.attention?.bidirectional ? t("model.explain.attention.both") : wordOf("model.explain", op.op);

/** Of something that a newer server may have more of. */
function wordOf(group: string, what: string): string {
  const key = `${group}.${what}`;
  return key in en ? t(key as Key) : what;
}

/** Its sizes and settings, short. */
export function shapeWords(op: Op, tensors: ReadonlyMap<string, Tensor>): string {
  const dims = tensors.get(op.weights[0]?.tensor ?? "")?.dims;
  switch (op.op) {
    case "embed":
      return dims ? `${dims[1] ?? 1} × ${op.width}` : String(op.width);
    case "matmul":
      return dims ? `${dims[0]} → ${op.width}` : String(op.width);
    case "attention":
      return t("model.heads", { heads: op.attention?.heads ?? 0, kv: op.attention?.kv_heads ?? 0 });
    case "gate":
    case "activate":
      return `${activationOf(op)} · ${op.width}`;
    case "scale":
      return op.cap ? `± ${op.cap}` : `× ${Number((op.factor ?? 1).toPrecision(4))}`;
    case "add":
      return "";
    default:
      return String(op.width);
  }
}

/** Below its sizes: the number format of its weights, or how far attention sees. */
export function formatWords(op: Op, tensors: ReadonlyMap<string, Tensor>): string {
  if (op.attention?.window) return t("model.window", { n: op.attention.window });
  return tensors.get(op.weights[0]?.tensor ?? "")?.format ?? "";
}

const ACTIVATIONS: Record<string, string> = { silu: "SiLU", gelu: "GELU", gelu_tanh: "GELU (tanh)" };
export const activationOf = ({ activation = "" }: Op) => ACTIVATIONS[activation] ?? activation;

export const blockName = ({ kind, layer = 0 }: Block) =>
  kind === "layer" ? t("model.block.layer", { layer: String(layer) }) : t(`model.block.${kind}`);

/** Where a value comes from, and where it goes on. */
export const enterWords = ({ kind, layer = 0 }: Block) =>
  kind === "layer" ? t("model.from.layer", { layer: String(layer) }) : t("model.from.input");
export const leaveWords = ({ kind, layer = 0 }: Block) =>
  kind === "layer" ? t("model.to.layer", { layer: String(layer) }) : t("model.to.output");

/** Whose colour it has. */
export function familyOf({ op }: Op): string {
  if (op === "matmul" || op === "embed") return "matmul";
  if (op === "rms_norm" || op === "layer_norm") return "norm";
  return op === "attention" ? "attention" : "other";
}
