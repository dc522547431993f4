// Accessible to all, in both themes, both languages, and at the width of a phone.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { fits, tooSmall, violations } from "./looking.ts";
import { begin, field, pageTest, sayAndWait, settled, show } from "./support.ts";

const PLACES: [string, (page: Page) => Promise<void>][] = [
  ["a new chat", async (page) => page.locator(".welcome").waitFor()],
  [
    "a conversation",
    async (page) => {
      await show(page, (await begin("Accessible")).id);
      await sayAndWait(page, "Hello");
      await page.locator(".message-user").hover();
    },
  ],
  ["search", async (page) => page.keyboard.press("Control+K")],
  ["keyboard help", async (page) => page.keyboard.press("Control+/")],
  ["chat settings", async (page) => page.getByRole("button", { name: "Chat settings" }).click()],
  ["models", async (page) => page.evaluate(() => void (location.hash = "#/models"))],
  [
    "models, with all their facts",
    async (page) => {
      await page.evaluate(() => void (location.hash = "#/models"));
      await page.locator(".model").first().waitFor();
      for (const each of await page.locator(".where summary").all()) await each.click();
    },
  ],
  [
    "this machine",
    async (page) => {
      await page.evaluate(() => void (location.hash = "#/machine"));
      await page.locator(".facts").last().waitFor();
    },
  ],
  ["settings", async (page) => page.evaluate(() => void (location.hash = "#/settings"))],
  [
    "a menu",
    async (page) => {
      const title = `Accessible menu ${Date.now()}`; // the other theme's may still be the first one
      await begin(title);
      const row = page.locator(".row", { hasText: title });
      // Focus stays with a row that others move; the pointer would be over another row then.
      await row.getByRole("link").focus();
      await row.getByRole("button").click();
    },
  ],
  [
    "a question",
    async (page) => {
      await page.evaluate(() => void (location.hash = "#/settings"));
      await page.getByRole("button", { name: "Delete all" }).click();
    },
  ],
];

for (const theme of ["light", "dark"] as const) {
  for (const [name, go] of PLACES) {
    pageTest(`axe finds nothing serious: ${name}, ${theme}`, { theme, reducedMotion: "reduce" }, async (page) => {
      await go(page);
      await page.waitForTimeout(300);
      assert.deepEqual(await violations(page), []);
    });
  }
  pageTest(`axe finds nothing serious: signed out, ${theme}`, { theme, signedOut: true }, async (page) => {
    assert.deepEqual(await violations(page), []);
  });
}

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;

pageTest("on a phone the sidebar is a drawer, and all is large enough for fingers", PHONE, async (page) => {
  const { id } = await begin("On a phone");
  await show(page, id);
  await field(page).fill("Hello from a phone");
  await field(page).press("Enter"); // a new line there
  assert.equal(await page.locator(".message").count(), 0);
  await page.locator(".send").tap();
  await settled(page);
  assert.equal(await page.locator(".sidebar").count(), 0);
  await tooSmall(page);
  await fits(page);
  await page.getByRole("button", { name: /Show sidebar/ }).tap();
  await page.locator(".sidebar").waitFor();
  await page.waitForTimeout(300);
  await tooSmall(page);
  await page.locator(".drawer .row", { hasText: "On a phone" }).locator("a").first().tap();
  await page.locator(".drawer").waitFor({ state: "detached" });
  for (const hash of ["#/models", "#/machine", "#/settings"]) {
    await page.evaluate((hash) => void (location.hash = hash), hash);
    await page.locator(".page-content").waitFor();
    await fits(page);
    await tooSmall(page);
  }
});

pageTest("all of the interface is Chinese", { language: "zh" }, async (page) => {
  await show(page, (await begin("中文")).id);
  await sayAndWait(page, "你好");
  const seen = new Set<string>();
  for (const go of [
    async () => {},
    async () => page.keyboard.press("Control+K"),
    async () => page.keyboard.press("Control+/"),
    async () => page.evaluate(() => void (location.hash = "#/settings")),
    async () => page.evaluate(() => void (location.hash = "#/models")),
  ]) {
    await page.keyboard.press("Escape");
    await go();
    await page.waitForTimeout(200);
    const words = await page.evaluate(() => {
      const own = ".message, .row, .model, .model-name, .menu, kbd, h1, .search-list, [lang=en], .brand, .about";
      const labels = [...document.querySelectorAll("[aria-label], [title], [placeholder]")]
        .filter((element) => !element.closest(own))
        .flatMap((element) => ["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? ""));
      const texts = [...document.querySelectorAll("button, p, h2, h3, span, label, legend, small, dt")]
        .filter((element) => !element.closest(own) && element.children.length === 0)
        .map((element) => element.textContent ?? "");
      return [...labels, ...texts];
    });
    for (const text of words) seen.add(text);
  }
  const known = /Ctrl|Shift|Esc|Enter|JSON|Markdown|Ingle|English|hf:|Top P|Top K|Min P|qwen|[\d,.]+|tokens/;
  const english = [...seen].filter(
    (text) => /[a-z]{3}/i.test(text) && !/[\u4e00-\u9fff]/.test(text) && !known.test(text),
  );
  assert.deepEqual(english, []);
});

pageTest("the page can be installed", {}, async (page) => {
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=manifest]")!;
    return (await fetch(link.href)).json();
  });
  for (const { src, sizes } of manifest.icons) {
    const found = await page.evaluate(async (src) => {
      const response = await fetch(src);
      return { ok: response.ok, type: response.headers.get("content-type") };
    }, src);
    assert.ok(found.ok, `${src} ${sizes}`);
  }
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  const real = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
  assert.deepEqual(real, []);
});

pageTest("nothing moves for those who asked for calm", { reducedMotion: "reduce" }, async (page) => {
  const moving = await page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});
