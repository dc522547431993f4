// What is shown of texts that are cut off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownText } from "./blocks.ts";
import { treeToHtml } from "./html.ts";
import { parse } from "./parse.ts";
import { completeInline, holdLastLine } from "./pending.ts";
import { buildTree } from "./tree.ts";

test("unclosed markers are closed or held back", () => {
  const cases: [string, string][] = [
    ["a **bo", "a **bo**"],
    ["a **bo*", "a **bo**"],
    ["a **bold**", "a **bold**"],
    ["a *", "a"],
    ["a **", "a"],
    ["**a *b", "**a *b***"],
    ["~~a", "~~a~~"],
    ["_a", "_a_"],
    ["a `x", "a `x`"],
    ["a ``x`", "a ``x``"],
    ["a `", "a"],
    ["a [te", "a"],
    ["a [text]", "a"],
    ["a [text](http://x", "a"],
    ["a [text](http://x) b", "a [text](http://x) b"],
    ["a ![al", "a"],
    ["$x + ", ""],
    ["a \\(x", "a"],
    ["a $$x", "a"],
    ["**a** b", "**a** b"],
    ["2 * 3", "2 * 3"],
    ["2*3", "2*3"],
    ["snake_case_", "snake_case"],
    ["snake_case x", "snake_case x"],
    ["costs $5 and", "costs $5 and"],
    ["a[1] and", "a[1] and"],
    ["| a | b", ""],
    ["x\n| a |\n|--", "x"],
    ["`a*b` c", "`a*b` c"],
    ["**a `b", "**a `b`**"],
    ["**bold ", "**bold**"],
    ["a \\", "a"],
    ["<https://x", ""],
    ["a\\*b", "a\\*b"],
  ];
  for (const [text, expected] of cases) assert.equal(completeInline(text), expected, text);
});

test("what is far from its end is no longer held back", () => {
  const long = "word ".repeat(60);
  for (const start of ["$", "["]) assert.equal(completeInline(start + long), start + long);
});

test("an undecided last line waits", () => {
  for (const line of [
    "-",
    "- ",
    "#",
    "##",
    "1",
    "1.",
    "```",
    "```py",
    "~~~ x",
    "|",
    "|---|",
    "===",
    "> ",
    "**",
    "$$",
    "- ```js",
    "  ```",
  ]) {
    assert.equal(holdLastLine(`a\n${line}`), "a\n", line);
  }
  for (const line of ["- a", "# T", "1. x", "text", "| a | b |", "> q"])
    assert.equal(holdLastLine(`a\n${line}`), `a\n${line}`);
  assert.equal(holdLastLine("a\n---\n"), "a\n---\n");
});

/** What a reader sees while the text arrives character by character. */
function shown(text: string): string[] {
  const markdown = new MarkdownText();
  return Array.from(text, (_, i) => {
    markdown.set(text.slice(0, i + 1), false);
    while (!markdown.advance(1000));
    return JSON.stringify(markdown.view);
  });
}

test("no markup shows while a common reply arrives", () => {
  const text =
    "# Title\n\nSome **bold** and *soft* `code`, a [link](http://x.y/z) and $a+b$.\n\n- one\n- [ ] two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x;\n```\n\nEnd ~~x~~.";
  for (const view of shown(text)) assert.ok(!/"text":"[^"]*(?:\*|~~|`|\[|\]|\||---|#|\$)/.test(view), view);
});

test("an open fence is a block of code from its second line on", () => {
  const views = shown("a\n\n```py\nx = 1\n");
  assert.ok(!views.some((view) => view.includes("```")));
  assert.ok(views.at(-1)!.includes('"type":"code","info":"py","chunks":["x = 1\\n"]'));
});

test("a finished text is not completed", () => {
  assert.equal(treeToHtml(buildTree(parse("a **b", { references: {} }))), "<p>a **b</p>\n");
});
