// How high a message will be, before it is drawn.

/** In pixels, about: the nearer, the less the scroll bar moves when the message is drawn. */
export function estimate(text: string, role: string): number {
  const perLine = role === "user" ? 68 : 88;
  let lines = 0;
  for (let from = 0; from <= text.length;) {
    const end = text.indexOf("\n", from);
    const length = (end < 0 ? text.length : end) - from;
    lines += length ? Math.ceil(length / perLine) : 0.5;
    if (end < 0) break;
    from = end + 1;
  }
  return Math.round(Math.min(lines, role === "user" ? 14 : Infinity) * 26 + 76);
}
