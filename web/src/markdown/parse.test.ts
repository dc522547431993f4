// What becomes a link and what a formula.

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeToHtml } from "./html.ts";
import { parse, safeHref } from "./parse.ts";
import { type Block, buildTree, type Inline, type Item } from "./tree.ts";

const tree = (source: string) => buildTree(parse(source, { references: {} }));

/** All addresses that the page would get. */
function addresses(nodes: readonly (Block | Inline | Item)[]): string[] {
  return nodes.flatMap((node) => {
    const own = node.type === "link" ? [node.href] : node.type === "image" ? [node.src] : [];
    const inside = "children" in node && node.type !== "table" ? addresses(node.children) : [];
    return [...own.map(safeHref).filter((href) => href !== null), ...inside];
  });
}

// In part after https://cheatsheetseries.owasp.org/cheatsheets/XSS_Filter_Evasion_Cheat_Sheet.html
const DANGEROUS = [
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "javascript&colon;alert(1)",
  "javascript&#58;alert(1)",
  "&#106;avascript:alert(1)",
  "&#x6A;avascript:alert(1)",
  "java&#10;script:alert(1)",
  "java&Tab;script:alert(1)",
  "java&NewLine;script:alert(1)",
  "&#1;javascript:alert(1)",
  "&#14;javascript:alert(1)",
  "\\javascript:alert(1)",
  "javascript\\:alert(1)",
  "javascript%3Aalert(1)",
  "vbscript:msgbox(1)",
  "data:text/html,<script>alert(1)</script>",
  "data:text/html;base64,PHNjcmlwdD4=",
  "data:image/svg+xml,<svg onload=alert(1)>",
  "data:image/png;base64,AAAA",
  "file:///etc/passwd",
  "blob:x",
  "about:blank",
  "ftp://x.example/",
  "//evil.example/",
  "/settings",
  "../x",
  "#top",
  "?q",
  "x:alert(1)",
  "ｊavascript:alert(1)",
  "javascript\u2028:alert(1)",
  "\u00a0javascript:alert(1)",
  "\u200bjavascript:alert(1)",
  "view-source:x",
  "tel:1",
  "intent://x",
];

test("no address of another protocol, and none without a protocol, becomes a link", () => {
  for (const address of DANGEROUS) {
    for (const source of [
      `[a](${address})`,
      `[a](<${address}>)`,
      `![a](${address})`,
      `<${address}>`,
      `[a]\n\n[a]: ${address}`,
      `[a][b]\n\n[b]: <${address}> "t"`,
      address,
      `[![a](${address})](${address})`,
    ]) {
      assert.deepEqual(addresses(tree(source)), [], source);
    }
  }
});

test("the parser and the check at rendering each suffice", () => {
  for (const address of [
    "javascript:alert(1)",
    "vbscript:x",
    "data:text/html,x",
    "file:///x",
    "blob:x",
    "ftp://x.example/",
    "x",
    "/x",
    "//x.example",
    "#x",
    " javascript:x",
  ]) {
    assert.equal(safeHref(address), null, address);
    if (/^\s*[a-z]+:/.test(address)) assert.ok(!treeToHtml(tree(`[a](<${address}>)`)).includes("<a"), address);
  }
});

test("addresses of the three protocols are links, as the URL parser writes them", () => {
  const cases: [string, string][] = [
    ["[a](https://a.example/b?c=d&e)", "https://a.example/b?c=d&e"],
    ["<http://a.example>", "http://a.example/"],
    ["<mailto:a@b.example>", "mailto:a@b.example"],
    ["<a@b.example>", "mailto:a@b.example"],
    ["see https://a.example/x.", "https://a.example/x"],
    ["[a](HTTPS://A.EXAMPLE)", "https://a.example/"],
    ["[a](https://аpple.example)", "https://xn--pple-43d.example/"],
    ["[a](https://good.example@evil.example/)", "https://good.example@evil.example/"],
  ];
  for (const [source, href] of cases) assert.deepEqual(addresses(tree(source)), [href], source);
  for (const source of [
    "www.a.example",
    "a.example",
    "a@b.example",
    "ftp://a.example",
    "//a.example",
    "mailto:a@b.example",
  ]) {
    assert.deepEqual(addresses(tree(source)), [], source);
  }
});

test("raw HTML is text", () => {
  for (const source of [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onclick=x>c</b>",
    "<!-- a -->",
    "<svg/onload=x>",
    "<![CDATA[x]]>",
  ]) {
    assert.ok(!/<(?!\/?p>)/.test(treeToHtml(tree(source)).trim()), source);
  }
});

function formulas(source: string): string[] {
  return Array.from(treeToHtml(tree(source)).matchAll(/<math[^>]*>([^<]*)<\/math>/g), (match) => match[1]!);
}

test("formulas", () => {
  const cases: [string, string[]][] = [
    ["$x$ and $y+1$", ["x", "y+1"]],
    ["the $n$th", ["n"]],
    ["\\(a\\) \\[b\\]", ["a", "b"]],
    ["$$a$$ in text", ["a"]],
    ["$\\$5$", ["\\$5"]],
    ["$a\nb$", ["a\nb"]],
    ["*a $b*c$ d*", ["b*c"]],
    ["$$\nx\n\ny\n$$", ["x\n\ny"]],
    ["\\[\nx\n\\]\nafter", ["x"]],
    ["text\n$$\n- a\n= b\n$$\nmore", ["- a\n= b"]],
    ["$$\\begin{x}\n+ a\n\\end{x}$$.", ["\\begin{x}\n+ a\n\\end{x}."]],
    ["- item\n  $$\n  x\n  $$\n- next", ["x"]],
    ["> \\[ x \\]", ["x"]],
    ["$$ x $$", ["x"]],
    ["$|x|$", ["|x|"]],
  ];
  for (const [source, expected] of cases) assert.deepEqual(formulas(source), expected, source);
});

test("a displayed formula that is never closed shows its source", () => {
  assert.equal(treeToHtml(tree("$$ \nx\n")), "<math unclosed>$$\nx</math>\n");
});

test("prices and other dollars are no formulas", () => {
  for (const source of [
    "$5 and $10",
    "It costs $5-$10.",
    "US$5 and US$6",
    "$20,000 and USD$30,000",
    "5$ or 6$/day",
    "a $ b $ c",
    "$ x$",
    "$x $",
    "\\$x\\$",
    "`$x$`",
    "$5",
    "$$$$",
    "\\(\\)",
    "\\\\(a\\\\)",
    "    $$\n    x\n    $$",
    "$HOME and `$PATH`",
    "a\\[b",
  ]) {
    assert.deepEqual(formulas(source), [], source);
  }
});
