// The list of conversations, folders, search.

import assert from "node:assert/strict";
import { api, begin, choose, pageTest, row, sayAndWait, show, until } from "./support.ts";

pageTest("a conversation is renamed in the list", {}, async (page) => {
  await begin("Old name");
  await choose(page, row(page, "Old name").first(), "Rename");
  await page.getByRole("textbox", { name: "Rename chat" }).fill("New name");
  await page.keyboard.press("Enter");
  await row(page, "New name").first().waitFor();
  await page.reload();
  await row(page, "New name").first().waitFor();
});

pageTest("Escape leaves a name as it was", {}, async (page) => {
  await begin("Steady name");
  await choose(page, row(page, "Steady name").first(), "Rename");
  await page.getByRole("textbox", { name: "Rename chat" }).fill("Other");
  await page.keyboard.press("Escape");
  await row(page, "Steady name").first().waitFor();
  assert.equal(await row(page, "Other").count(), 0);
});

pageTest("a pinned conversation stands above the others", {}, async (page) => {
  await begin("To be pinned");
  await choose(page, row(page, "To be pinned").first(), "Pin");
  const pinned = page.getByRole("region", { name: "Pinned" });
  await pinned.locator(".row", { hasText: "To be pinned" }).waitFor();
  await choose(page, pinned.locator(".row", { hasText: "To be pinned" }).first(), "Unpin");
  await pinned.locator(".row", { hasText: "To be pinned" }).waitFor({ state: "detached" });
});

pageTest("a conversation moves into a folder and out of it", {}, async (page) => {
  const folder = `Folder ${Date.now()}`;
  await begin("To be filed");
  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill(folder);
  await page.keyboard.press("Enter");
  await page.locator(".folder", { hasText: folder }).waitFor();
  await choose(page, row(page, "To be filed").first(), `Move to ${folder}`);
  await page.locator(".folder", { hasText: folder }).getByText("1", { exact: true }).waitFor();
  await page.getByRole("button", { name: folder, exact: false }).first().click();
  const inside = page.locator(".folder-rows .row", { hasText: "To be filed" });
  await inside.waitFor();
  await page.reload();
  await inside.waitFor(); // an open folder stays open
  await choose(page, page.locator(".folder > .row", { hasText: folder }), "Delete");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.locator(".folder", { hasText: folder }).waitFor({ state: "detached" });
  await row(page, "To be filed").first().waitFor();
});

pageTest("a deletion can be undone, and is one when the notice has gone", {}, async (page) => {
  const { id } = await begin("Going away");
  await choose(page, row(page, "Going away").first(), "Delete");
  await row(page, "Going away").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Going away").first().waitFor();
  await choose(page, row(page, "Going away").first(), "Delete");
  await page.locator(".notice").getByRole("button", { name: "Close" }).click();
  await until("it is still there", async () => !(await ids()).includes(id));
  assert.equal(await row(page, "Going away").count(), 0);
});

pageTest("a deletion is one, too, where the page goes first", {}, async (page, watched) => {
  watched.allow(/status of 404/); // favicon.ico, which a picture by itself asks for
  const { id } = await begin("Going with the page");
  await choose(page, row(page, "Going with the page").first(), "Delete");
  await page.goto(page.url().replace(/#.*/, "icon.svg"));
  await until("it is still there", async () => !(await ids()).includes(id));
});

async function ids(): Promise<number[]> {
  const { conversations } = await api<{ conversations: { id: number }[] }>("GET", "/app/conversations?limit=200");
  return conversations.map((each) => each.id);
}

pageTest("what another tab does shows here", {}, async (page) => {
  const { id } = await begin("Seen from elsewhere");
  await row(page, "Seen from elsewhere").first().waitFor();
  await api("PATCH", `/app/conversations/${id}`, { title: "Seen from afar" });
  await row(page, "Seen from afar").first().waitFor();
  await show(page, id);
  await api("DELETE", `/app/conversations/${id}`);
  await row(page, "Seen from afar").waitFor({ state: "detached" });
  await page.waitForFunction(() => location.hash === "#/");
});

pageTest("search finds words in messages and goes there", {}, async (page) => {
  const word = `quagga${Date.now()}`;
  const { id } = await begin("A needle");
  await show(page, id);
  await sayAndWait(page, `There is a ${word} in here`);
  await page.keyboard.press("Control+Shift+O");
  await page.keyboard.press("Control+K");
  await page.getByRole("combobox").fill(word);
  const found = page.getByRole("option", { name: word });
  await found.first().waitFor();
  assert.equal((await found.first().locator("mark").innerText()).toLowerCase(), word);
  await page.keyboard.press("Enter");
  await page.locator(".message-user", { hasText: word }).waitFor();
  assert.match(page.url(), new RegExp(`#/c/${id}`));
});
