// Everything by keyboard.

import assert from "node:assert/strict";
import { begin, field, pageTest, show } from "./support.ts";

pageTest("the shortcuts do what the help says", {}, async (page) => {
  await show(page, (await begin("By keyboard")).id);
  await page.keyboard.press("Control+B");
  await page.getByRole("navigation", { name: "Conversations" }).waitFor({ state: "detached" });
  await page.keyboard.press("Control+B");
  await page.getByRole("navigation", { name: "Conversations" }).waitFor();
  await page.keyboard.press("Control+/");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Control+Shift+O");
  await page.waitForFunction(() => location.hash === "#/");
  await page.waitForFunction(() => document.activeElement?.matches(".composer textarea"));
});

pageTest("the search overlay is used without a mouse, and gives the focus back", {}, async (page) => {
  await field(page).focus();
  await page.keyboard.press("Control+K");
  await page.getByRole("combobox").waitFor();
  await page.getByRole("combobox").fill("models");
  await page.getByRole("option", { name: "Models" }).waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.matches(".composer textarea"));
  await page.keyboard.press("Control+K");
  await page.getByRole("combobox").fill("keyboard shortcuts");
  await page.getByRole("option", { name: "Keyboard shortcuts" }).waitFor();
  const chosen = () => page.getByRole("option", { selected: true }).innerText();
  for (let i = 0; !(await chosen()).includes("Keyboard shortcuts") && i < 20; ++i)
    await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
});

pageTest("menus are used by arrows and give the focus back", {}, async (page) => {
  await begin("A menu");
  const button = page.locator(".row", { hasText: "A menu" }).first().getByRole("button");
  await button.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "menuitem");
  await page.keyboard.press("ArrowDown");
  assert.equal((await page.evaluate(() => document.activeElement?.textContent))?.trim(), "Pin");
  await page.keyboard.press("d");
  assert.equal((await page.evaluate(() => document.activeElement?.textContent))?.trim(), "Delete");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-haspopup") === "menu");
});

pageTest("focus is always seen", {}, async (page) => {
  for (let i = 0; i < 6; ++i) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement!;
      const box = element.closest(".composer-box") ?? element;
      const style = getComputedStyle(box);
      return element === document.body || style.outlineStyle !== "none" || box !== element;
    });
    assert.ok(seen);
  }
});
