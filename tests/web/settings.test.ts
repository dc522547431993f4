// Settings, presets, export and import.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { api, begin, pageTest, row, sayAndWait, show, until } from "./support.ts";

pageTest("the theme and the language change at once and stay", { hash: "#/settings" }, async (page) => {
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "dark");
  await page.getByRole("radio", { name: "中文" }).check({ force: true });
  await page.getByRole("heading", { name: "设置" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "设置" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "dark");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-Hans");
});

pageTest("what is exported can be imported", { hash: "#/settings" }, async (page) => {
  const title = `Exported ${Date.now()}`;
  const { id } = await begin(title);
  await show(page, id);
  await sayAndWait(page, "To be exported");
  await page.evaluate(() => (location.hash = "#/settings"));
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "JSON" }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^ingle-.*\.json$/);
  const content = await readFile(await download.path(), "utf8");
  assert.ok(content.includes("To be exported"));
  await api("DELETE", `/app/conversations/${id}`);
  await row(page, title).waitFor({ state: "detached" });
  await page
    .locator(".page input[type=file]")
    .setInputFiles({ name: "ingle.json", mimeType: "application/json", buffer: Buffer.from(content) });
  await page.getByText(/conversations? (was|were) imported/).waitFor();
  await row(page, title).first().waitFor();
});

pageTest("a file that is no export is refused with the reason", { hash: "#/settings" }, async (page, watched) => {
  watched.allow(/status of 4\d\d/);
  await page
    .locator(".page input[type=file]")
    .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{not json") });
  await page.getByRole("alert").waitFor();
});

pageTest("all conversations are deleted only where the word was typed", { hash: "#/settings" }, async (page) => {
  await begin("One of all");
  await page.getByRole("button", { name: "Delete all" }).click();
  const dialog = page.getByRole("dialog");
  const button = dialog.getByRole("button", { name: "Delete all" });
  assert.ok(await button.isDisabled());
  await dialog.getByRole("textbox").fill("delete");
  assert.ok(await button.isEnabled());
  await button.click();
  await page.getByText(/conversations? (was|were) deleted/).waitFor();
  await until("some are left", async () => {
    const { conversations } = await api<{ conversations: unknown[] }>("GET", "/app/conversations");
    return conversations.length === 0;
  });
  assert.equal(await row(page, "One of all").count(), 0);
});

pageTest(
  "how long conversations are kept is chosen after it was said what goes",
  { hash: "#/settings" },
  async (page) => {
    const choice = page.getByRole("combobox", { name: "Keep conversations" });
    await page.getByText("They stay until you delete them.").waitFor();
    const days = async () => (await api<{ days: number }>("GET", "/app/retention")).days;
    await choice.selectOption("For 30 days");
    const dialog = page.getByRole("dialog", { name: "Keep conversations" });
    await dialog
      .getByText("nobody touched for 30 days are deleted, with their attachments; pinned ones stay.")
      .waitFor();
    await dialog.getByText("0 conversations are deleted now.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await choice.inputValue(), "0");
    assert.equal(await days(), 0);
    await choice.selectOption("For 30 days");
    await dialog.getByRole("button", { name: "Agree" }).click();
    await page.getByText("Those that nobody touched for 30 days").waitFor();
    assert.equal(await days(), 30);
    await page.reload();
    await page.getByText("Those that nobody touched for 30 days").waitFor();
    await choice.selectOption("Forever");
    await page.getByText("They stay until you delete them.").waitFor();
    assert.equal(await days(), 0);
  },
);

pageTest("a chat's settings are kept, and become a preset for others", {}, async (page) => {
  const first = await begin("With settings");
  await show(page, first.id);
  await page.getByRole("button", { name: "Chat settings" }).click();
  const sheet = page.getByRole("dialog", { name: "Chat settings" });
  await sheet.getByLabel("System prompt").fill("Answer like a pirate.");
  await sheet.getByLabel("Temperature").fill("0.5");
  await sheet.getByLabel("Temperature").blur();
  await until("they are not kept", async () => {
    const kept = await api<{ system: string; parameters: { temperature?: number } }>(
      "GET",
      `/app/conversations/${first.id}`,
    );
    return kept.system === "Answer like a pirate." && kept.parameters.temperature === 0.5;
  });
  await sheet.getByLabel("Temperature").fill("7");
  await sheet.getByLabel("Temperature").blur();
  await sheet.getByText("From 0 to 2").waitFor();
  const name = `Pirate ${Date.now()}`;
  await sheet.getByRole("button", { name: "Save as preset" }).click();
  await page.getByRole("dialog", { name: "Save as preset" }).getByRole("textbox").fill(name);
  await page.keyboard.press("Enter");
  await sheet.getByText(name).waitFor();
  await page.keyboard.press("Escape");

  const second = await begin("With the preset");
  await show(page, second.id);
  await page.getByRole("button", { name: "Chat settings" }).click();
  await sheet.getByText(name).click();
  await until("it is not applied", async () => {
    const kept = await api<{ system: string; parameters: { temperature?: number } }>(
      "GET",
      `/app/conversations/${second.id}`,
    );
    return kept.system === "Answer like a pirate." && kept.parameters.temperature === 0.5;
  });
  await sheet.getByRole("button", { name: `Delete the preset “${name}”` }).click();
  await page
    .getByRole("dialog", { name: "Delete the preset" })
    .getByRole("button", { name: "Delete", exact: true })
    .click();
  await sheet.getByText(name).waitFor({ state: "detached" });
});

pageTest("settings of a chat that has not begun go with it", {}, async (page) => {
  await page.getByRole("button", { name: "Chat settings" }).click();
  const sheet = page.getByRole("dialog", { name: "Chat settings" });
  await sheet.getByLabel("System prompt").fill("Be brief.");
  await sheet.getByLabel("Longest reply").fill("8");
  await page.keyboard.press("Escape");
  await sayAndWait(page, "Hello with settings");
  const id = Number(/c\/(\d+)/.exec(page.url())![1]);
  const kept = await api<{ system: string; parameters: { max_tokens?: number } }>("GET", `/app/conversations/${id}`);
  assert.equal(kept.system, "Be brief.");
  assert.equal(kept.parameters.max_tokens, 8);
});
