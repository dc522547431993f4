// Tokens as text that can be read: what does not print is named, and a character that several tokens make is shown where
// it begins.

/** `mark`: it stands for something that would not be seen. */
export interface Part {
  text: string;
  mark: boolean;
}

// Controls, what has no width, what turns the direction of writing, private use, what is not a character.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffd\ue000-\uf8ff]/u;

const NAMES: Record<string, string> = { "\n": "⏎", "\r": "␍", "\t": "⇥", "\u00a0": "⍽" };

/** `breaks`: lines end where the text ends them, after their mark. */
export function partsOf(text: string, breaks = false): Part[] {
  const parts: Part[] = [];
  const add = (text: string, mark: boolean) => {
    const last = parts.at(-1);
    if (last && last.mark === mark && !mark) last.text += text;
    else parts.push({ text, mark });
  };
  for (const character of text) {
    const name = NAMES[character];
    if (name) {
      add(name, true);
      if (breaks && character === "\n") add("\n", false);
      if (breaks && character === "\t") add("\t", false);
    } else if (HIDDEN.test(character)) {
      add(codeOf(character), true);
    } else add(character, false);
  }
  return parts;
}

const codeOf = (character: string) =>
  character === "\ufffd" ? character : `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;

/** For where a token stands alone: spaces at its ends are seen. */
export function aloneOf(text: string): Part[] {
  const inner = text.replace(/^ +| +$/g, "");
  const before = text.length - text.trimStart().length;
  const lead = inner ? /^ */.exec(text)![0].length : text.length;
  if (!inner) return lead ? [{ text: "␣".repeat(lead), mark: true }] : before ? partsOf(text) : [];
  const trail = / *$/.exec(text)![0].length;
  return [
    ...(lead ? [{ text: "␣".repeat(lead), mark: true }] : []),
    ...partsOf(inner),
    ...(trail ? [{ text: "␣".repeat(trail), mark: true }] : []),
  ];
}

/** The same as one string, for names and lists. */
export const plainOf = (text: string) =>
  aloneOf(text)
    .map((part) => part.text)
    .join("");

export const hexOf = (bytes: readonly number[]) =>
  bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");

export interface Shown {
  text: string;
  /** It only goes on with a character that an earlier token began; `text` is what follows that. */
  goesOn?: boolean;
  /** Bytes that make no character, or do not yet. */
  broken?: boolean;
}

/** What to show of one token by itself. */
export const textOf = (token: WithBytes): string => (token.bytes ? shownOf([token])[0]!.text : token.text);

interface WithBytes {
  text: string;
  bytes?: readonly number[];
}

/** How many bytes the sequence has that a byte begins; 0: it begins none. */
function lengthOf(byte: number): number {
  return byte < 0x80
    ? 1
    : byte >= 0xc2 && byte < 0xe0
      ? 2
      : byte >= 0xe0 && byte < 0xf0
        ? 3
        : byte >= 0xf0 && byte < 0xf5
          ? 4
          : 0;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** What to show for each token, in their order. */
export function shownOf(tokens: readonly WithBytes[]): Shown[] {
  const shown: Shown[] = [];
  for (let i = 0; i < tokens.length;) {
    if (!tokens[i]!.bytes) {
      shown.push({ text: tokens[i]!.text });
      ++i;
      continue;
    }
    let end = i;
    while (end < tokens.length && tokens[end]!.bytes) ++end;
    shown.push(...joined(tokens.slice(i, end).map((token) => token.bytes!)));
    i = end;
  }
  return shown;
}

/** Of tokens that follow each other, by their bytes. */
function joined(pieces: readonly (readonly number[])[]): Shown[] {
  const bytes = pieces.flat();
  const owner = pieces.flatMap((piece, i) => piece.map(() => i));
  const shown: Shown[] = pieces.map(() => ({ text: "" }));
  for (let at = 0; at < bytes.length;) {
    const own = shown[owner[at]!]!;
    const length = lengthOf(bytes[at]!);
    const character = length ? characterOf(bytes.slice(at, at + length), length) : null;
    if (character === null) {
      own.text += hexOf([bytes[at]!]);
      own.broken = true;
      ++at;
      continue;
    }
    own.text += character;
    for (let next = at + 1; next < at + length; ++next)
      if (owner[next] !== owner[at]) shown[owner[next]!]!.goesOn = true;
    at += length;
  }
  return shown;
}

function characterOf(bytes: readonly number[], length: number): string | null {
  if (bytes.length < length) return null;
  try {
    return decoder.decode(new Uint8Array(bytes));
  } catch {
    return null;
  }
}
