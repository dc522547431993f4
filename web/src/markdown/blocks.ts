// Incremental Markdown: a text that grows is cut into groups (top-level blocks) and units (a block, or an item of a
// list, or a row of a table), and only what may still change is parsed again.
//
// A unit is settled as soon as the line that begins the next unit is complete: block structure is decided line by line
// and a closed block stays closed (CommonMark, "Appendix: A parsing strategy"). So a piece costs what the last unit or
// two cost. Long code is not parsed again either: while a fence is open, lines are only looked at for its end. Link
// definitions are the one thing that acts backwards; the text is read a second time once it is complete if a definition
// came after a bracket that may use it.
//
// What is shown in the end never depends on how the text was cut into pieces (blocks.test.ts).

import type { Token } from "markdown-it";
import { findMarks, lineStarts, type Marks } from "./marks.ts";
import { append, appendText, type Chunks, lastOf, type Paged, replaceLast } from "./paged.ts";
import { parse, type ParseEnv, unescapeAll } from "./parse.ts";
import { holdLastLine } from "./pending.ts";
import { type Align, type Block, buildTree, type Inline, type Item, type Row, sameNode } from "./tree.ts";

/** What a group shows. `key` is the group's position in the text, so it stays the same while the text grows. */
export type Group = { key: number } & (
  | { type: "block"; block: Block }
  | { type: "list"; start: number | null; loose: boolean; units: Paged<Unit<Item>> }
  | { type: "table"; align: Align[]; head: Inline[][]; units: Paged<Unit<Row>> }
  | { type: "code"; info: string; chunks: Chunks }
  | { type: "plain"; chunks: Chunks }
);

export interface Unit<T> {
  key: number;
  node: T;
}

/** How much is read at a time at most, so that no step takes long. */
const STEP = 4096;

/** A unit of more weight is shown as plain text: the time for one unit bounds the longest pause. A character weighs 1,
 * one that makes the parser look far ahead or split text weighs more. */
const MAX_WEIGHT = 50_000;
const HEAVY_WEIGHT = 8;
const HEAVY = new Set(Array.from("\n[*_~`$<&\\:!", (character) => character.charCodeAt(0)));

/** The position up to `end` at which the text from `start` becomes too heavy for one unit, or `end`. */
function weighted(text: string, start: number, end: number): number {
  let weight = 0;
  for (let i = start; i < end; i++) {
    weight += HEAVY.has(text.charCodeAt(i)) ? HEAVY_WEIGHT : 1;
    if (weight > MAX_WEIGHT) return i;
  }
  return end;
}

/** Lines go into the last group as they are, until one of them ends it. */
interface LineMode {
  ends: (line: string, position: number) => boolean;
  /** An incomplete line that is not shown yet. */
  holds: (line: string) => boolean;
  /** The beginning of this line was taken already. */
  midLine: boolean;
}

export class MarkdownText {
  /** What to show now. */
  view: Paged<Group> = [];
  /** True if `view` shows all of the text. */
  done = true;

  private text = "";
  private complete = true;
  private settled: Paged<Group> = [];
  /** Where the unsettled part begins, and how far the text was read. */
  private start = 0;
  private read = 0;
  private lineMode: LineMode | null = null;
  /** Set if the unsettled part begins inside of the last settled group: lines to parse before it (marks.ts). */
  private inside: string | null = null;
  private references: ParseEnv["references"] = {};
  /** How many definitions were known when the first bracket was parsed. */
  private knownAtBracket = Infinity;
  /** While the text is read a second time: what the first reading gave. */
  private first: Map<number, Group> | null = null;

  /** Sets the text. One that continues the previous text keeps what is settled. */
  set(source: string, complete: boolean): void {
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    if (text === this.text && complete === this.complete) return;
    const grows = !this.complete && text.startsWith(this.text);
    this.text = text;
    this.complete = complete;
    this.done = false;
    if (grows) return;
    this.first = null;
    this.restart({});
  }

  /** Reads on by about so many characters, at least one step; true if `view` then shows all of the text. */
  advance(characters: number): boolean {
    for (let left = characters; !this.done && left > 0; left -= STEP) this.step();
    return this.done;
  }

  private restart(references: ParseEnv["references"]): void {
    this.settled = [];
    this.start = this.read = 0;
    this.lineMode = null;
    this.inside = null;
    this.references = references;
    this.knownAtBracket = Infinity;
  }

  private step(): void {
    const again = this.lineMode ? this.readLines(this.lineMode) : this.readBlocks();
    if (again || this.read < this.text.length) {
      if (!this.first) this.view = this.settled;
      return;
    }
    if (!this.complete) {
      this.done = true;
    } else if (!this.first && Object.keys(this.references).length > this.knownAtBracket) {
      this.view = this.settled;
      this.first = new Map(this.settled.flat().map((group) => [group.key, group]));
      this.restart(this.references);
    } else {
      this.view = this.settled;
      this.first = null;
      this.done = true;
    }
  }

  /** Reads blocks; true if what was read has to be looked at again. */
  private readBlocks(): boolean {
    this.skipBlankLines();
    const wanted = Math.min(this.text.length, Math.max(this.read, this.start) + STEP);
    // Whether a unit is too heavy must not depend on how the text arrived, so no more than its limit is looked at.
    this.read = weighted(this.text, this.start, wanted);
    const heavy = this.read < wanted;
    const atEnd = this.read === this.text.length;
    const head = this.inside ?? "";
    const source = head + this.text.slice(this.start, this.read);
    const marks = findMarks(source, head.length, false);
    const settles = marks.boundary > head.length;
    if (!settles && heavy) return this.openPlain();
    if (atEnd && this.complete) {
      this.settle(source, head.length, findMarks(source, head.length, true));
      return false;
    }
    if (settles) this.settle(source, head.length, marks);
    const rest = this.text.slice(this.start, this.read);
    if (marks.fence && !this.inside && (settles || marks.boundary === 0) && this.openFence(marks.fence, rest))
      return true;
    if (atEnd) this.view = this.withRest(holdLastLine(rest));
    return settles && !atEnd;
  }

  private skipBlankLines(): void {
    for (let at = this.start; at < this.text.length; at++) {
      const character = this.text[at];
      if (character === "\n") this.start = at + 1;
      else if (character !== " " && character !== "\t") return;
    }
  }

  /** Parses what precedes the boundary for good. */
  private settle(source: string, headLength: number, marks: Marks): void {
    const part = source.slice(0, marks.boundary);
    const blocks = buildTree(parse(part, { references: this.references }));
    if (this.knownAtBracket === Infinity && part.includes("["))
      this.knownAtBracket = Object.keys(this.references).length;
    for (const block of blocks) if (block.type === "list") block.loose = marks.looseLists.has(block.line);
    this.settled = this.add(this.settled, blocks, (line) => this.start + marks.lines[line]! - headLength);
    this.start += marks.boundary - headLength;
    this.inside = marks.inside;
  }

  /** The settled groups and what the rest of a growing text shows. */
  private withRest(rest: string): Paged<Group> {
    const head = this.inside ?? "";
    const lines = lineStarts(head + rest);
    const references = Object.create(this.references) as ParseEnv["references"];
    const blocks = buildTree(parse(head + rest, { references, open: true }));
    const visible = blocks.filter((block) => block.type !== "paragraph" || block.children.length > 0);
    return this.add(this.settled, visible, (line) => this.start + lines[line]! - head.length);
  }

  /** Adds blocks to groups; the first one may continue the last group. `keyOf` gives the position of a line. */
  private add(groups: Paged<Group>, blocks: Block[], keyOf: (line: number) => number): Paged<Group> {
    const [first] = blocks;
    const last = this.inside ? lastOf(groups) : undefined;
    let extended: Group | null = null;
    if (last?.type === "list" && first?.type === "list") {
      const units = appendUnits(last.units, first.children.slice(1), keyOf); // without the item of `inside`
      extended = { ...last, loose: last.loose || first.loose, units };
    } else if (last?.type === "table" && first?.type === "table") {
      extended = { ...last, units: appendUnits(last.units, first.children, keyOf) };
    }
    const added = blocks.slice(extended ? 1 : 0).map((block) => this.reuse(toGroup(block, keyOf)));
    return append(extended ? replaceLast(groups, this.reuse(extended)) : groups, added);
  }

  /** On the second reading, the group of the first one if it shows the same: it need not be rendered again. */
  private reuse(group: Group): Group {
    const before = this.first?.get(group.key);
    return before && sameNode(before, group) ? before : group;
  }

  /** Goes on by lines after the line that opens a fence at the margin. */
  private openFence(token: Token, rest: string): boolean {
    const opening = /^(`{3,}|~{3,}).*\n/.exec(rest);
    if (!opening) return false;
    const [line, marker] = opening as unknown as [string, string];
    const closing = new RegExp(`^ {0,3}${marker}${marker[0]}*[ \\t]*$`);
    const info = unescapeAll(token.info).trim();
    this.settled = append(this.settled, [{ key: this.start, type: "code", info, chunks: [] }]);
    this.start += line.length;
    this.lineMode = {
      ends: (line) => closing.test(line),
      holds: (line) => /^ {0,3}[`~]+[ \t]*$/.test(line),
      midLine: false,
    };
    return true;
  }

  /** Goes on by lines, as plain text, to the first blank line after what is too long. */
  private openPlain(): true {
    const from = this.read;
    this.settled = append(this.settled, [{ key: this.start, type: "plain", chunks: [] }]);
    this.inside = null;
    this.lineMode = {
      ends: (line, position) => position >= from && !line.trim(),
      holds: () => false,
      midLine: false,
    };
    return true;
  }

  /** Reads lines into the last group; true if a line ended it, so that blocks follow. */
  private readLines(mode: LineMode): boolean {
    this.read = Math.min(this.text.length, this.start + STEP);
    const atEnd = this.read === this.text.length;
    const from = this.start;
    let end = from;
    while (end < this.read) {
      const newline = this.text.slice(end, this.read).indexOf("\n");
      const next = newline >= 0 ? end + newline + 1 : this.read;
      const whole = newline >= 0 || (atEnd && this.complete);
      if (!whole && (atEnd || end > from)) break; // waits for the rest of the line, unless it is very long
      if (whole && !mode.midLine && mode.ends(this.text.slice(end, next).replace("\n", ""), end)) {
        this.settled = extendLast(this.settled, this.text.slice(from, end));
        this.start = next;
        this.lineMode = null;
        return true;
      }
      mode.midLine = !whole;
      end = next;
    }
    this.settled = extendLast(this.settled, this.text.slice(from, end));
    this.start = end;
    const rest = this.text.slice(end, this.read);
    if (atEnd) this.view = mode.holds(rest) && !mode.midLine ? this.settled : extendLast(this.settled, rest);
    return false;
  }
}

function appendUnits<T extends Item | Row>(
  units: Paged<Unit<T>>,
  nodes: T[],
  keyOf: (line: number) => number,
): Paged<Unit<T>> {
  return append(
    units,
    nodes.map((node) => ({ key: keyOf(node.line), node })),
  );
}

function toGroup(block: Block, keyOf: (line: number) => number): Group {
  const key = keyOf(block.line);
  switch (block.type) {
    case "list":
      return {
        key,
        type: "list",
        start: block.start,
        loose: block.loose,
        units: appendUnits([], block.children, keyOf),
      };
    case "table":
      return {
        key,
        type: "table",
        align: block.align,
        head: block.head,
        units: appendUnits([], block.children, keyOf),
      };
    case "code":
      return { key, type: "code", info: block.info, chunks: appendText([], block.text) };
    default:
      return { key, type: "block", block };
  }
}

function extendLast(groups: Paged<Group>, text: string): Paged<Group> {
  const last = lastOf(groups);
  if (!text || (last?.type !== "code" && last?.type !== "plain")) return groups;
  return replaceLast(groups, { ...last, chunks: appendText(last.chunks, text) });
}
