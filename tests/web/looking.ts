// What several tests look for in a page: that it is accessible, that it fits, that fingers can use it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe finds that is serious. Beside the page's own policy, which would not let a script in. */
export async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations)",
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
  return (result.value as Violation[])
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
}

/** Nothing is wider than the screen. */
export async function fits(page: Page) {
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide[0]! <= wide[1]!, `the page is ${wide[0]} wide`);
}

/** All that is touched is large enough for fingers. */
export async function tooSmall(page: Page) {
  const small = await page.locator("button:visible, a:visible, input:visible").evaluateAll((all) =>
    all
      .map((each) => {
        const target = each.matches(".segments input") ? each.parentElement! : each;
        const { width, height } = target.getBoundingClientRect();
        return { html: each.outerHTML.slice(0, 120), width, height };
      })
      .filter(({ html, width, height }) => Math.min(width, height) < 39.5 && !/bubble-fold|report|branches/.test(html)),
  );
  assert.deepEqual(small, []);
}
