// A tree as HTML, as markdown-it's own renderer writes it: only for tests, which compare the two.

import type { Block, Inline, Item } from "./tree.ts";

export function treeToHtml(blocks: Block[]): string {
  return blocks.map((block) => blockHtml(block)).join("");
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function attributes(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escape(value)}"`)
    .join("");
}

function blockHtml(block: Block): string {
  switch (block.type) {
    case "paragraph":
      return `<p>${inlineHtml(block.children)}</p>\n`;
    case "heading":
      return `<h${block.level}>${inlineHtml(block.children)}</h${block.level}>\n`;
    case "quote":
      return `<blockquote>\n${treeToHtml(block.children)}</blockquote>\n`;
    case "rule":
      return "<hr>\n";
    case "code": {
      const language = block.info.split(/\s+/)[0];
      return `<pre><code${language ? attributes({ class: `language-${language}` }) : ""}>${escape(block.text)}</code></pre>\n`;
    }
    case "formula":
      return `<math${block.closed ? "" : " unclosed"}>${escape(block.tex)}</math>\n`;
    case "list": {
      const tag = block.start === null ? "ul" : "ol";
      const start = block.start === null || block.start === 1 ? "" : ` start="${block.start}"`;
      return `<${tag}${start}>\n${block.children.map((item) => itemHtml(item, block.loose)).join("")}</${tag}>\n`;
    }
    case "table": {
      const cell = (tag: string, column: number, content: Inline[]) =>
        `<${tag}${block.align[column] ? ` style="text-align:${block.align[column]}"` : ""}>${inlineHtml(content)}</${tag}>\n`;
      const head = block.head.map((content, i) => cell("th", i, content)).join("");
      const body = block.children.map(
        (row) => `<tr>\n${row.cells.map((content, i) => cell("td", i, content)).join("")}</tr>\n`,
      );
      return (
        `<table>\n<thead>\n<tr>\n${head}</tr>\n</thead>\n` +
        `${body.length ? `<tbody>\n${body.join("")}</tbody>\n` : ""}</table>\n`
      );
    }
  }
}

/** In a tight list, the paragraphs of an item have no tags. */
function itemHtml(item: Item, loose: boolean): string {
  let html = "<li>";
  let inText = true;
  for (const [i, block] of item.children.entries()) {
    const bare = block.type === "paragraph" && !loose;
    const task = i === 0 && item.task !== null ? `[${item.task ? "x" : " "}] ` : "";
    if (bare) html += (inText ? "" : "") + task + inlineHtml(block.children);
    else html += (inText ? "\n" : "") + blockHtml(block).replace(/^<p>/, (tag) => tag + task);
    inText = bare;
  }
  return `${html}</li>\n`;
}

function inlineHtml(nodes: Inline[]): string {
  return nodes
    .map((node): string => {
      switch (node.type) {
        case "text":
          return escape(node.text);
        case "codespan":
          return `<code>${escape(node.text)}</code>`;
        case "break":
          return "<br>";
        case "formula":
          return `<math>${escape(node.tex)}</math>`;
        case "image":
          return `<img${attributes({ src: node.src, alt: node.alt, ...(node.title && { title: node.title }) })}>`;
        case "link":
          return `<a${attributes({ href: node.href, ...(node.title && { title: node.title }) })}>${inlineHtml(node.children)}</a>`;
        case "del":
          return `<s>${inlineHtml(node.children)}</s>`;
        default:
          return `<${node.type}>${inlineHtml(node.children)}</${node.type}>`;
      }
    })
    .join("");
}
