// Markdown source -> markdown-it tokens: CommonMark with tables, strikethrough, bare http(s) links and TeX formulas. Raw
// HTML is off, so that it stays text. Formulas are written $…$ and \(…\) in a line, $$…$$ and \[…\] displayed; the
// rules for a single $ are pandoc's (https://pandoc.org/MANUAL.html#math), so that prices stay prices.

import MarkdownIt from "markdown-it";
import type { Env, MarkdownIt as Parser, StateBlock, StateCore, StateInline, Token } from "markdown-it";
import { completeInline } from "./pending.ts";

export interface ParseEnv extends Env {
  /** Link reference definitions found so far, by label. */
  references: NonNullable<Env["references"]>;
  /** The text may still grow: unclosed inline markers at its end are closed or held back. */
  open?: boolean;
  /** Out: whether each item of the top-level lists is tight by itself, by the item's line. */
  tight?: Map<number, boolean>;
}

/** Longer formulas than this are no formulas; it also bounds the search for a closing marker. */
const MAX_FORMULA = 2000;

const SCHEME = /^\s*([a-z][a-z0-9+.-]*):/i;

/** Blocks a scheme other than http, https and mailto; whether an address without a scheme is shown as a link is
 * decided when it is rendered (safeHref). */
function validateLink(href: string): boolean {
  const scheme = SCHEME.exec(href);
  return !scheme || /^(?:https?|mailto)$/i.test(scheme[1]!);
}

/** The address that a link may have, made absolute and normal by the URL parser; null when it must not be a link. */
export function safeHref(href: string): string | null {
  try {
    const url = new URL(href);
    return url.protocol === "http:" || url.protocol === "https:" || url.protocol === "mailto:" ? url.href : null;
  } catch {
    return null; // relative: it would lead into this application
  }
}

/** Inline formulas. They come before the escape rule because \( and \[ would otherwise be escaped brackets. */
function inlineFormula(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  const two = src.slice(pos, pos + 2);
  let close: string;
  if (two === "$$") close = "$$";
  else if (two === "\\(") close = "\\)";
  else if (two === "\\[") close = "\\]";
  else if (two[0] === "$") close = "$";
  else return false;
  const start = pos + close.length;
  const end = findClosing(src, start, Math.min(posMax, start + MAX_FORMULA), close);
  if (end < 0 || !src.slice(start, end).trim()) return false;
  if (close === "$" && !isDollarPair(src, pos, end)) return false;
  if (!silent) {
    const token = state.push("formula", "", 0);
    token.content = src.slice(start, end);
    token.markup = two === "$$" || two === "\\[" ? "display" : "inline";
  }
  state.pos = end + close.length;
  return true;
}

/** The position of the first `close` that no backslash escapes, or -1. A formula contains no dollar if it is written in
 * dollars, and no marker that opens one otherwise; so the search never passes the same text twice. */
function findClosing(src: string, start: number, limit: number, close: string): number {
  const stop = close.startsWith("$") ? /\\[^]|\$+/g : /\\[^]/g;
  const opening = src.slice(start - 2, start);
  stop.lastIndex = start;
  for (let match = stop.exec(src); match && match.index < limit; match = stop.exec(src)) {
    if (match[0] === close) return match.index;
    if (match[0].startsWith("$") || match[0] === opening) return -1;
  }
  return -1;
}

/** pandoc's rules for a formula in single dollars, and two more: no letter or digit before it ("5$ or 6$/day"), and no
 * backtick in it ("$HOME and `$PATH`"). */
function isDollarPair(src: string, open: number, close: number): boolean {
  return (
    !/[\p{L}\p{N}$]/u.test(src[open - 1] ?? "") &&
    !src.slice(open, close).includes("`") &&
    !/\s/.test(src[open + 1]!) &&
    !/\s/.test(src[close - 1]!) &&
    !/[0-9]/.test(src[close + 1] ?? "")
  );
}

/** Displayed formulas that begin a line. Whether a line begins one is decided by that line alone (both markers on it,
 * or the opening one alone or before \begin), so that what precedes it is settled while the text still streams. */
function blockFormula(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (state.sCount[startLine]! - state.blkIndent >= 4) return false;
  const line = lineText(state, startLine);
  const markers = line.startsWith("$$") ? ["$$", "$$"] : line.startsWith("\\[") ? ["\\[", "\\]"] : null;
  if (!markers) return false;
  const [, close] = markers as [string, string];
  const body = line.slice(2);
  const single = splitClosing(body, close);
  const opens = body.trim() === "" || (/^\s*\\begin\{/.test(body) && !body.includes(close));
  if (!opens && (single === null || !single.trim() || body.indexOf(close) !== body.lastIndexOf(close))) return false;
  if (silent) return true;

  let content = opens ? body : single!;
  let nextLine = startLine + 1;
  let closed = !opens;
  for (; !closed && nextLine < endLine; nextLine++) {
    const text = lineText(state, nextLine);
    if (text && state.sCount[nextLine]! < state.blkIndent) break; // outside of the list item
    const last = splitClosing(text, close);
    closed = last !== null;
    content += `\n${last ?? text}`;
  }
  state.line = nextLine;
  const token = state.push("formula_block", "", 0);
  // One that is never closed shows its marker, since it may not have been meant as a formula.
  const marked = closed || (state.env as ParseEnv).open ? content : markers[0]! + content;
  token.content = marked.trim();
  token.markup = closed ? "display" : "unclosed";
  token.map = [startLine, nextLine];
  return true;
}

/** The line without the closing marker that ends it, or null. Punctuation after the marker joins the formula. */
function splitClosing(line: string, close: string): string | null {
  const end = /[.,;:]?$/.exec(line)!;
  if (!line.endsWith(close, end.index)) return null;
  return line.slice(0, end.index - close.length) + end[0];
}

function lineText(state: StateBlock, line: number): string {
  return state.src.slice(state.bMarks[line]! + state.tShift[line]!, state.eMarks[line]).trim();
}

/** The last inline text of a text that still grows, completed so that it does not flicker. */
function completeLast(state: StateCore): void {
  if (!(state.env as ParseEnv).open) return;
  const last = state.tokens.findLast((token) => token.nesting >= 0);
  if (last?.type === "inline") last.content = completeInline(last.content);
}

/** Remembers whether the items of top-level lists are tight, which tokens do not tell (lists are parsed in parts). */
function recordTightness(md: Parser): void {
  const tokenize = md.block.tokenize;
  md.block.tokenize = function (state: StateBlock, startLine: number, endLine: number): void {
    tokenize.call(this, state, startLine, endLine);
    if (state.parentType === "list" && state.level === 2) (state.env as ParseEnv).tight?.set(startLine, state.tight);
  };
}

export function createParser(): Parser {
  const md = new MarkdownIt({ html: false, linkify: true, maxNesting: 100 });
  md.validateLink = validateLink;
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  for (const schema of ["ftp:", "mailto:", "//"]) md.linkify.add(schema, null);
  md.inline.ruler.before("escape", "formula", inlineFormula);
  md.block.ruler.before("fence", "formula_block", blockFormula, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  md.core.ruler.after("block", "complete_last", completeLast);
  recordTightness(md);
  return md;
}

const md = createParser();

/** Resolves backslash escapes and entities, as in the info string of a fence. */
export const unescapeAll = md.utils.unescapeAll;

/** The block structure only, without inline content: what blocks.ts needs to find where blocks end. */
export function parseBlocks(source: string, env: ParseEnv): Token[] {
  const tokens: Token[] = [];
  md.block.parse(source, md, env, tokens);
  return tokens;
}

/** All tokens of a source with "\n" line ends. Adds the definitions that it meets to `env.references`. */
export function parse(source: string, env: ParseEnv): Token[] {
  return md.parse(source, env);
}
