// The pictures of the README, by `make screenshots`: what is shown is what the model wrote.

import type { Page } from "playwright-core";
import { api, begin, field, lastReply, type Options, pageTest, settled, show } from "./support.ts";

const FOLDER = process.env["INGLE_PICTURES"]!;
const SIZE = { viewport: { width: 1280, height: 800 } };

const shoot = (page: Page, name: string) => page.screenshot({ path: `${FOLDER}/${name}.png` });

/** What a person's list may look like. */
async function furnish() {
  const { id: folder } = await api<{ id: number }>("POST", "/app/folders", { name: "Garden" });
  for (const title of ["When to plant garlic", "A bed for tomatoes"]) await begin(title, { folder });
  for (const title of ["Trip to the Baltic Sea", "Birthday speech for Ada", "Why bread rises"]) await begin(title);
}

/** Asks in a new conversation, and waits for the end of the answer. */
async function ask(page: Page, title: string, question: string, tokens: number, ready = async () => {}) {
  page.setDefaultTimeout(60_000); // also where others use the machine
  const { id } = await begin(title, { parameters: { max_tokens: tokens, temperature: 0, seed: 1 } });
  await show(page, id);
  await ready();
  await field(page).fill(question);
  await page.locator(".composer .send").click();
  await lastReply(page).waitFor();
  await settled(page);
  await page.mouse.move(640, 20);
}

const CODE =
  "Write a Python function that counts how often each word occurs in a text file. Then say how it works in three short points.";

pageTest("chat", { ...SIZE, theme: "light" }, async (page) => {
  await furnish();
  await ask(page, "Counting words", CODE, 400);
  await page.locator(".transcript").evaluate((area) => area.scrollTo(0, 0));
  await page.waitForTimeout(500);
  await shoot(page, "chat");
});

pageTest("models", { ...SIZE, theme: "light", hash: "#/models" }, async (page) => {
  await page.getByText("tokens/s").first().waitFor();
  await page.waitForTimeout(3000); // the machine is measured first
  await shoot(page, "models");
});

pageTest("inspector", { ...SIZE, theme: "dark" }, async (page) => {
  await ask(page, "Why is the sky blue?", "Why is the sky blue? Answer in one sentence.", 60, async () => {
    await page.keyboard.press("Control+I");
    await page.getByText("Recording", { exact: true }).waitFor();
  });
  await page.locator(".token").nth(8).click();
  await page.waitForTimeout(500);
  await shoot(page, "inspector");
  await page.getByRole("tab", { name: "Model", exact: true }).click();
  await page.locator("svg [role=option]").nth(3).click();
  await page.waitForTimeout(1500); // its numbers are looked at
  await shoot(page, "model");
});

const PHONE: Options = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, theme: "dark" };

pageTest("phone", PHONE, async (page) => {
  await ask(page, "A haiku", "Write a haiku about the sea.", 60);
  await page.waitForTimeout(500);
  await shoot(page, "phone");
});
