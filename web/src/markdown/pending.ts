// What to show of a text that is still arriving. A marker whose meaning the next characters decide is held back, an
// unclosed one whose meaning is clear is closed, so that what is on the page rarely changes its look afterwards.
// None of this touches a finished text.

/** How far a bracket or formula may be from its end and still be held back; beyond, it is shown as it is. */
const MAX_HELD_TEXT = 200;
const MAX_HELD_DOLLAR = 80;
const MAX_HELD_ADDRESS = 2000;

/** A last line that may yet become a heading, rule, list, quote, table or fence. */
const UNDECIDED = /^[-*_=+#|:`~$\\[\]>\d.)\s]{1,300}$/;
const FENCE_OPENING = /^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(?:`{3,}[^`]*|~{3,}.*)$/;

/** The source without its last line if that is incomplete and undecided. */
export function holdLastLine(source: string): string {
  const start = source.lastIndexOf("\n") + 1;
  const line = source.slice(start);
  return UNDECIDED.test(line) || FENCE_OPENING.test(line) ? source.slice(0, start) : source;
}

/** The content of the last paragraph, heading or cell with its unclosed markers closed or cut off. */
export function completeInline(content: string): string {
  const text = withoutTableStart(content);
  const open: Delimiter[] = [];
  let at = 0;
  while (at < text.length) {
    const next = step(text, at, open);
    if (typeof next === "string") return next + closers(open);
    if (next < 0)
      return text.slice(0, at).replace(/\s*!?$/, (end) => (text[at] === "[" ? "" : end.trimStart())) + closers(open);
    at = next;
  }
  return open.length ? text.trimEnd() + closers(open) : text;
}

interface Delimiter {
  marker: string;
  length: number;
}

function closers(open: Delimiter[]): string {
  return open
    .reverse()
    .map(({ marker, length }) => marker.repeat(length))
    .join("");
}

/** Lines that begin with a bar at the end of a paragraph are a table whose second line is not complete. */
function withoutTableStart(content: string): string {
  const lines = content.split("\n");
  const isBar = (line: string | undefined) => line !== undefined && line.startsWith("|");
  const count = isBar(lines.at(-1)) ? (isBar(lines.at(-2)) ? 2 : 1) : 0;
  return count ? lines.slice(0, -count).join("\n") : content;
}

/** Looks at one position: the next position, -1 to cut the text off here, or the whole text up to the end. */
function step(text: string, at: number, open: Delimiter[]): number | string {
  switch (text[at]) {
    case "\\":
      if (at + 1 === text.length) return -1;
      if (text[at + 1] === "(" || text[at + 1] === "[") return formula(text, at, text[at + 1] === "(" ? "\\)" : "\\]");
      return at + 2;
    case "`":
      return codespan(text, at);
    case "$":
      return text[at + 1] === "$" ? formula(text, at, "$$") : dollar(text, at);
    case "[":
      return bracket(text, at);
    case "<":
      return /^<https?:[^\s>]*$/i.test(text.slice(at, at + MAX_HELD_ADDRESS)) ? -1 : at + 1;
    case "*":
    case "_":
    case "~":
      return emphasis(text, at, open);
    default:
      return at + 1;
  }
}

function formula(text: string, at: number, close: string): number {
  const end = text.indexOf(close, at + 2);
  if (end >= 0) return end + 2;
  return text.length - at <= MAX_HELD_ADDRESS ? -1 : at + 2;
}

function dollar(text: string, at: number): number {
  if (at + 1 === text.length) return -1;
  if (/[\s\d]/.test(text[at + 1]!) || /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return at + 1;
  const end = text.indexOf("$", at + 1);
  if (end >= 0) return end + 1;
  return text.length - at <= MAX_HELD_DOLLAR ? -1 : at + 1;
}

function codespan(text: string, at: number): number | string {
  const fence = /^`+/.exec(text.slice(at, at + 100))![0];
  if (at + fence.length === text.length) return -1;
  for (let i = at + fence.length; i < text.length; i++) {
    if (text[i] !== "`") continue;
    const from = i;
    while (text[i] === "`") i++;
    if (i - from === fence.length) return i;
  }
  return text.replace(/`+$/, "") + fence;
}

/** A link is held back until it is whole: "[text" and "[text](addr" show nothing yet. */
function bracket(text: string, at: number): number {
  let depth = 0;
  let end = at;
  const limit = Math.min(text.length, at + 1000);
  for (; end < limit; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === "[") depth++;
    else if (text[end] === "]" && --depth === 0) break;
  }
  if (end >= text.length || end + 1 === text.length) return text.length - at <= MAX_HELD_TEXT ? -1 : at + 1;
  if (text[end] !== "]" || text[end + 1] !== "(") return at + 1;
  const whole = text.indexOf(")", end + 2) >= 0;
  return whole || text.length - at > MAX_HELD_ADDRESS ? at + 1 : -1;
}

function emphasis(text: string, at: number, open: Delimiter[]): number {
  const marker = text[at]!;
  let end = at;
  while (text[end] === marker) end++;
  if (end === text.length) return -1; // opening or closing: either way it shows nothing yet
  const length = end - at;
  if (marker === "~" && length !== 2) return end;
  const before = text[at - 1] ?? " ";
  const after = text[end]!;
  const wordBefore = /[\p{L}\p{N}]/u.test(before);
  if (marker === "_" && wordBefore && /[\p{L}\p{N}]/u.test(after)) return end;
  const index = /\s/.test(before) ? -1 : open.findLastIndex((delimiter) => delimiter.marker === marker);
  if (index >= 0) {
    const opener = open[index]!;
    open.length = index + 1;
    opener.length -= Math.min(length, opener.length);
    if (opener.length === 0) open.pop();
  } else if (!/\s/.test(after) && !wordBefore) {
    open.push({ marker, length });
  }
  return end;
}
