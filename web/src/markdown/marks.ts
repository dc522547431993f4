// Where the units of a source begin (a block, an item of a top-level list, a row of a top-level table), and up to where
// no later text can change them.

import type { Token } from "markdown-it";
import { parseBlocks, type ParseEnv } from "./parse.ts";

interface Unit {
  /** Where it begins, in lines. */
  line: number;
  /** The line after its last one, as far as known. */
  end: number;
  token: Token;
  /** It is a further item or row of the group that the unit before it belongs to. */
  continues: boolean;
  /** An item that makes its list loose by itself; the blank line before a further item makes it loose, too. */
  loose: boolean;
  blankBefore: boolean;
  /** A link definition, at any depth, precedes it directly. */
  afterDefinition: boolean;
}

export interface Marks {
  /** The position of each line, and of the end. */
  lines: number[];
  /** What precedes this position is settled; 0 if nothing is. */
  boundary: number;
  /** If the boundary is inside of a table or list: lines that make what follows parse as its continuation. */
  inside: string | null;
  /** The token of a fence at the margin that begins at the boundary and may still be open. */
  fence: Token | null;
  /** The first lines of the settled lists that are loose. */
  looseLists: Set<number>;
}

/** The source begins with `headLength` characters that only repeat the table or list that it continues (`inside`). */
export function findMarks(source: string, headLength: number, atEnd: boolean): Marks {
  const lines = lineStarts(source);
  const headLines = lines.indexOf(headLength);
  const isBlank = (line: number) => /^[ \t]*\n?$/.test(source.slice(lines[line], lines[line + 1]));
  const tight = new Map<number, boolean>();
  const env: ParseEnv = { references: {}, tight };
  const units = unitsOf(parseBlocks(source, env), headLines, tight, isBlank);
  const complete = source.endsWith("\n") ? lines.length - 1 : lines.length - 2; // lines with their end

  let line = atEnd ? lines.length - 1 : 0;
  let next: Unit | undefined;
  const last = units.at(-1);
  if (!atEnd) {
    next = units.findLast((unit) => unit.line > headLines && isDecided(unit, complete) && !mayBeTitle(unit));
    if (next) line = next.line;
    const closed = closedByBlankLine(units, complete, isBlank);
    if (closed > line) {
      line = closed;
      next = undefined;
    }
  }
  return {
    lines,
    boundary: lines[line]!,
    inside: next?.continues ? groupHead(next.token, source, lines) : null,
    fence: last?.token.type === "fence" && last.line === line && isDecided(last, complete) ? last.token : null,
    looseLists: looseLists(units, line, next),
  };
}

/** The position of each line and of the end of the text. */
export function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  if (starts.at(-1)! < source.length) starts.push(source.length);
  return starts;
}

function unitsOf(
  tokens: Token[],
  headLines: number,
  tight: Map<number, boolean>,
  isBlank: (line: number) => boolean,
): Unit[] {
  const units: Unit[] = [];
  let group: Token | null = null;
  let previous: Token | undefined;
  for (const token of tokens) {
    if (!token.map || token.nesting < 0) continue;
    const afterDefinition = previous?.type === "reference_definition";
    previous = token;
    if (token.level === 0) group = token;
    const isItem = token.type === "list_item_open" && token.level === 1;
    const isRow =
      token.type === "tr_open" && token.level === 2 && group?.type === "table_open" && token.map[0] !== group.map![0];
    const isBlock = token.level === 0 && !token.type.endsWith("list_open");
    if (!isItem && !isRow && !isBlock) continue;
    const [line, end] = token.map;
    if (line < headLines) continue;
    const continues = isRow || (isItem && line !== group!.map![0]);
    const loose = isItem && tight.get(line) === false;
    const blankBefore = line > 0 && isBlank(line - 1);
    units.push({ line, end, token: isBlock ? token : group!, continues, loose, blankBefore, afterDefinition });
  }
  return units;
}

/** Later text cannot change that a unit begins here: its first line is complete. Text that may be a table's head, or
 * ends the block before it only if it is one, needs the line below it, too. */
function isDecided(unit: Unit, complete: number): boolean {
  const mayBeHead = unit.token.type === "paragraph_open" || (unit.token.type === "table_open" && !unit.continues);
  return unit.line + (mayBeHead ? 2 : 1) <= complete;
}

/** A paragraph directly after a link definition may yet turn out to be the definition's title. */
function mayBeTitle(unit: Unit): boolean {
  return unit.token.type === "paragraph_open" && unit.afterDefinition && !unit.blankBefore;
}

const CLOSED_BY_BLANK = /^(?:paragraph_open|heading_open|hr|table_open|reference_definition)$/;

/** The line after the last unit that a blank line ends for good; 0 if there is none. */
function closedByBlankLine(units: Unit[], complete: number, isBlank: (line: number) => boolean): number {
  return (
    units.findLast(({ token, end }) => CLOSED_BY_BLANK.test(token.type) && end < complete && isBlank(end))?.end ?? 0
  );
}

/** A table's head with the line below it, or an item so far indented that a list's next item is no child of it. */
function groupHead(group: Token, source: string, lines: number[]): string {
  const line = group.map![0];
  if (group.type === "table_open") return source.slice(lines[line], lines[line + 2]);
  return group.type === "ordered_list_open" ? `1${group.markup}    .\n` : `${group.markup}    .\n`;
}

function looseLists(units: Unit[], boundary: number, next: Unit | undefined): Set<number> {
  const loose = new Set<number>();
  for (const unit of units) {
    if (unit.line >= boundary && unit !== next) continue;
    if ((unit.line < boundary && unit.loose) || (unit.continues && unit.blankBefore)) loose.add(unit.token.map![0]);
  }
  return loose;
}
