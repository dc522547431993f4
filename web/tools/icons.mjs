// Makes the PNG icons of public/ from public/icon.svg, by Chromium: node tools/icons.mjs (after npm ci in tests/web).

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../tests/web/package.json", import.meta.url))("playwright-core");
const folder = new URL("../public/", import.meta.url);
const svg = readFileSync(new URL("icon.svg", folder), "utf8");
const executablePath = process.env.INGLE_CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });

// A maskable icon may be cut to any shape: its ground reaches the edges, its mark keeps to the inner 80 %.
const maskable = svg
  .replace(' rx="112"', "")
  .replace("<path", '<g transform="translate(51 51) scale(0.8)"><path')
  .replace("</svg>", "</g></svg>");

for (const [name, size, source] of [
  ["icon-192.png", 192, svg],
  ["icon-512.png", 512, svg],
  ["icon-maskable-512.png", 512, maskable],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>* { margin: 0 } svg { display: block }</style>${source}`);
  await page.locator("svg").evaluate((element, size) => {
    element.setAttribute("width", size);
    element.setAttribute("height", size);
  }, size);
  writeFileSync(new URL(name, folder), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
