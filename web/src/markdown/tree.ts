// markdown-it tokens -> a tree of plain nodes, the only thing that is rendered: a node type that is not here cannot
// reach the page.

import type { Token } from "markdown-it";
import { unescapeAll } from "./parse.ts";

export type Align = "left" | "center" | "right" | "";

export type Inline =
  | { type: "text" | "codespan"; text: string }
  | { type: "break" }
  | { type: "formula"; tex: string; display: boolean; closed: boolean }
  | { type: "image"; src: string; title: string; alt: string }
  | { type: "link"; href: string; title: string; children: Inline[] }
  | { type: "em" | "strong" | "del"; children: Inline[] };

/** `line` is where the block begins, in lines of the parsed source. */
export type Block = { line: number } & (
  | { type: "paragraph"; children: Inline[] }
  | { type: "heading"; level: number; children: Inline[] }
  | { type: "quote"; children: Block[] }
  | { type: "rule" }
  | { type: "code"; info: string; text: string }
  | { type: "formula"; tex: string; display: true; closed: boolean }
  | { type: "list"; start: number | null; loose: boolean; children: Item[] }
  | { type: "table"; align: Align[]; head: Inline[][]; children: Row[] }
);

/** `task` is the state of a task list's box. */
export interface Item {
  type: "item";
  line: number;
  task: boolean | null;
  children: Block[];
}

export interface Row {
  type: "row";
  line: number;
  cells: Inline[][];
}

/** Deeper nesting is flattened: recursion over the tree, here and in the browser, must stay bounded. */
const MAX_DEPTH = 100;

/** Walks a token array; the block functions below share the position. */
interface Cursor {
  tokens: Token[];
  at: number;
}

/** The blocks of a source's tokens. */
export function buildTree(tokens: Token[]): Block[] {
  return blocks({ tokens, at: 0 }, "");
}

/** Blocks up to the token of type `end`, which is consumed. */
function blocks(cursor: Cursor, end: string): Block[] {
  const result: Block[] = [];
  while (cursor.at < cursor.tokens.length) {
    const token = cursor.tokens[cursor.at++]!;
    if (token.type === end) break;
    const node = block(token, cursor);
    if (node) result.push(node);
  }
  return result;
}

function block(token: Token, cursor: Cursor): Block | null {
  const line = token.map?.[0] ?? 0;
  switch (token.type) {
    case "paragraph_open":
      return { type: "paragraph", line, children: inlineUntilClose(cursor) };
    case "heading_open":
      return { type: "heading", line, level: Number(token.tag.slice(1)), children: inlineUntilClose(cursor) };
    case "blockquote_open":
      return { type: "quote", line, children: blocks(cursor, "blockquote_close") };
    case "hr":
      return { type: "rule", line };
    case "fence":
      return { type: "code", line, info: unescapeAll(token.info).trim(), text: token.content };
    case "code_block":
      return { type: "code", line, info: "", text: token.content };
    case "formula_block":
      return { type: "formula", line, tex: token.content, display: true, closed: token.markup !== "unclosed" };
    case "bullet_list_open":
    case "ordered_list_open":
      return list(token, cursor, line);
    case "table_open":
      return table(cursor, line);
    default:
      return null;
  }
}

function list(open: Token, cursor: Cursor, line: number): Block {
  const ordered = open.type === "ordered_list_open";
  const children: Item[] = [];
  let loose = false;
  while (cursor.tokens[cursor.at++]?.type === "list_item_open") {
    const item = cursor.tokens[cursor.at - 1]!;
    const from = cursor.at;
    const content = blocks(cursor, "list_item_close");
    const paragraph = cursor.tokens
      .slice(from, cursor.at)
      .find((t) => t.type === "paragraph_open" && t.level === item.level + 1);
    if (paragraph && !paragraph.hidden) loose = true;
    children.push({ type: "item", line: item.map![0], task: takeTask(content), children: content });
  }
  return { type: "list", line, start: ordered ? Number(open.attrGet("start") ?? 1) : null, loose, children };
}

/** Takes "[ ] " or "[x] " off the start of an item: true if done, false if not, null if it is no task. */
function takeTask(content: Block[]): boolean | null {
  const first = content[0];
  const text = first?.type === "paragraph" ? first.children[0] : undefined;
  if (text?.type !== "text") return null;
  const box = /^\[([ xX])\][ \t]+(?=\S)/.exec(text.text);
  if (!box) return null;
  text.text = text.text.slice(box[0].length);
  return box[1] !== " ";
}

function table(cursor: Cursor, line: number): Block {
  const align: Align[] = [];
  const rows: Row[] = [];
  for (
    let token = cursor.tokens[cursor.at++];
    token && token.type !== "table_close";
    token = cursor.tokens[cursor.at++]
  ) {
    if (token.type === "tr_open") rows.push({ type: "row", line: token.map![0], cells: [] });
    else if (token.type === "inline") rows.at(-1)!.cells.push(inline(token.children ?? []));
    else if (token.type === "th_open")
      align.push(String(token.attrGet("style") ?? "").replace("text-align:", "") as Align);
  }
  const head = rows.shift()?.cells ?? [];
  return { type: "table", line, align, head, children: rows };
}

function inlineUntilClose(cursor: Cursor): Inline[] {
  const token = cursor.tokens[cursor.at]!;
  cursor.at += 2; // the inline token and the closing one
  return inline(token.children ?? []);
}

/** Inline tokens, which are a flat list with opening and closing ones, as nodes. */
function inline(tokens: Token[]): Inline[] {
  const root: Inline[] = [];
  const stack: Inline[][] = [root];
  let skipped = 0; // containers open beyond MAX_DEPTH
  for (const token of tokens) {
    const siblings = stack.at(-1)!;
    if (token.nesting < 0) {
      if (skipped > 0) skipped--;
      else stack.pop();
    } else if (token.nesting > 0) {
      const node = container(token);
      if (stack.length > MAX_DEPTH) skipped++;
      else {
        siblings.push(node);
        stack.push(node.children);
      }
    } else addLeaf(siblings, token);
  }
  return root;
}

function container(token: Token): Inline & { children: Inline[] } {
  if (token.type === "link_open") {
    return {
      type: "link",
      href: String(token.attrGet("href") ?? ""),
      title: String(token.attrGet("title") ?? ""),
      children: [],
    };
  }
  return { type: token.type === "em_open" ? "em" : token.type === "s_open" ? "del" : "strong", children: [] };
}

function addLeaf(siblings: Inline[], token: Token): void {
  switch (token.type) {
    case "code_inline":
      siblings.push({ type: "codespan", text: token.content });
      return;
    case "hardbreak":
      siblings.push({ type: "break" });
      addText(siblings, "\n");
      return;
    case "softbreak":
      addText(siblings, "\n");
      return;
    case "formula":
      siblings.push({ type: "formula", tex: token.content, display: token.markup === "display", closed: true });
      return;
    case "image":
      siblings.push({
        type: "image",
        src: String(token.attrGet("src") ?? ""),
        title: String(token.attrGet("title") ?? ""),
        alt: plainText(token.children ?? []),
      });
      return;
    default: // text, text_special (escapes and entities)
      addText(siblings, token.content);
  }
}

function addText(siblings: Inline[], text: string): void {
  if (!text) return;
  const last = siblings.at(-1);
  if (last?.type === "text") last.text += text;
  else siblings.push({ type: "text", text });
}

/** An image's description: its inline content without markup. */
function plainText(tokens: Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === "image") return plainText(token.children ?? []);
      return token.type === "softbreak" || token.type === "hardbreak" ? "\n" : token.content;
    })
    .join("");
}

/** Whether two trees show the same; where their lines begin is no part of that. */
export function sameNode(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const keys = Object.keys(a) as (keyof typeof a)[];
  return (
    keys.length === Object.keys(b).length && keys.every((key) => key === ("line" as string) || sameNode(a[key], b[key]))
  );
}

const STRONG = /[\p{L}]/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The direction of a container's first text. (dir="auto" on it would not look into blocks that have it themselves.) */
export function directionOf(nodes: readonly (Block | Item | Inline)[]): "ltr" | "rtl" | undefined {
  for (const node of nodes) {
    const letter = node.type === "text" ? STRONG.exec(node.text)?.[0] : undefined;
    if (letter) return RIGHT_TO_LEFT.test(letter) ? "rtl" : "ltr";
    const inside = "children" in node && node.type !== "table" ? directionOf(node.children) : undefined;
    if (inside) return inside;
  }
  return undefined;
}
