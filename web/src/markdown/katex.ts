// KaTeX with its style sheet, in a chunk of its own.

import katex, { type KatexOptions } from "katex";
import "katex/dist/katex.min.css";

/** A node of the tree that KaTeX builds before it makes DOM nodes of it. */
export interface KatexNode {
  attributes?: Record<string, string>;
  children?: KatexNode[];
  toNode(): Node;
}

export type KatexRenderer = (tex: string, display: boolean) => KatexNode;

/** Nothing that leaves the formula is trusted (links, images, classes); sizes and macro expansion are bounded. */
export const renderToTree: KatexRenderer = (tex, display) =>
  (katex as unknown as { __renderToDomTree(tex: string, options: KatexOptions): KatexNode }).__renderToDomTree(tex, {
    displayMode: display,
    throwOnError: false,
    errorColor: "var(--danger, #b3261e)",
    strict: "ignore",
    trust: false,
    maxSize: 20,
    maxExpand: 1000,
  });
