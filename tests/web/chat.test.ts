// Talking with a model.

import assert from "node:assert/strict";
import {
  begin,
  beginLong,
  field,
  grown,
  lastReply,
  LONG,
  pageTest,
  replies,
  row,
  say,
  sayAndWait,
  settled,
  show,
  until,
} from "./support.ts";

pageTest("a first message begins a conversation, and its reply streams", {}, async (page) => {
  await sayAndWait(page, "Hello from the first test");
  assert.match(page.url(), /#\/c\/\d+$/);
  assert.ok((await lastReply(page).locator(".reply").innerText()).length > 0);
  await row(page, "Hello from the first test").first().waitFor();
  assert.equal(await field(page).inputValue(), "");
  await page.locator(".gauge").waitFor();
  await lastReply(page).locator(".report").click();
  await page.locator(".report-details:popover-open").getByText("Threads").waitFor();
});

pageTest("a reply that takes long grows, is stopped, and says so", {}, async (page) => {
  await show(page, (await beginLong("Stopping")).id);
  await say(page, LONG);
  await grown(page, 20);
  assert.equal(await lastReply(page).locator(".reply").getAttribute("aria-busy"), "true");
  await page.getByRole("button", { name: "Stop (Esc)" }).click();
  await lastReply(page).getByText("You stopped this reply.").waitFor();
  const before = await lastReply(page).locator(".reply").innerText();
  await page.waitForTimeout(300);
  assert.equal(await lastReply(page).locator(".reply").innerText(), before);
});

pageTest("a stopped reply goes on", {}, async (page) => {
  await show(page, (await beginLong("Going on")).id);
  await say(page, LONG);
  await grown(page, 20);
  await page.keyboard.press("Escape");
  await lastReply(page).getByRole("button", { name: "Continue" }).waitFor();
  const before = (await lastReply(page).locator(".reply").textContent())!.trim();
  await lastReply(page).getByRole("button", { name: "Continue" }).click();
  await until("the reply did not grow", async () => {
    const text = (await lastReply(page).locator(".reply").textContent())!.trim();
    return text.length > before.length && text.startsWith(before.slice(0, -10));
  });
  assert.equal(await replies(page).count(), 1);
  if (await page.locator(".composer .stop").isVisible()) await page.keyboard.press("Escape");
  await settled(page);
});

pageTest("a reply that reached its limit says so and goes on", {}, async (page) => {
  await show(page, (await begin("Limited", { parameters: { max_tokens: 4, temperature: 0, seed: 1 } })).id);
  await sayAndWait(page, "Count from one to twenty.");
  await lastReply(page).getByText("reached its limit").waitFor();
  await lastReply(page).getByRole("button", { name: "Continue" }).waitFor();
});

pageTest("an edited message makes a branch, and both can be shown", {}, async (page) => {
  await show(page, (await begin("Editing")).id);
  await sayAndWait(page, "The first wording");
  await page.locator(".message-user").hover();
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.locator(".message-edit textarea").fill("The second wording");
  await page.locator(".message-edit").getByRole("button", { name: "Send" }).click();
  await page.locator(".message-user", { hasText: "The second wording" }).waitFor();
  await settled(page);
  const versions = page.locator(".message-user .branches");
  await versions.getByText("2/2").waitFor();
  await versions.getByRole("button", { name: "Previous version" }).click();
  await page.locator(".message-user", { hasText: "The first wording" }).waitFor();
  await versions.getByText("1/2").waitFor();
  assert.equal(await page.locator(".message-user").count(), 1);
  await page.reload();
  await page.locator(".message-user", { hasText: "The first wording" }).waitFor();
});

pageTest("another reply is a branch, too", {}, async (page) => {
  await show(page, (await begin("Again")).id);
  await sayAndWait(page, "Say something");
  await page.getByRole("button", { name: "Another reply" }).click();
  await lastReply(page).locator(".branches").getByText("2/2").waitFor();
  await settled(page);
  await lastReply(page).getByRole("button", { name: "Previous version" }).click();
  await lastReply(page).locator(".branches").getByText("1/2").waitFor();
});

pageTest("a message is deleted with what follows it", {}, async (page) => {
  await show(page, (await begin("Shortening")).id);
  await sayAndWait(page, "Keep this one");
  await sayAndWait(page, "Drop this one");
  await page.locator(".message-user").last().hover();
  await page.locator(".message-user").last().getByRole("button", { name: "Delete message" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await until("it is still there", async () => (await page.locator(".message-user").count()) === 1);
  await page.locator(".message-user", { hasText: "Keep this one" }).waitFor();
});

pageTest("a reload in the midst of a reply shows it going on", {}, async (page) => {
  await show(page, (await beginLong("Reloading")).id);
  await say(page, LONG);
  await grown(page, 40);
  const before = (await lastReply(page).locator(".reply").textContent())!.trim();
  await page.reload();
  await grown(page, before.length + 20);
  const now = (await lastReply(page).locator(".reply").textContent())!;
  assert.ok(now.startsWith(before.slice(0, before.length - 8)), "the reply began anew");
  await page.keyboard.press("Escape");
  await settled(page);
});

pageTest("a reply grows in every tab, and ends with the same text", {}, async (page) => {
  const { id } = await beginLong("Two tabs");
  await show(page, id);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await say(page, LONG);
  await grown(other, 40);
  await page.keyboard.press("Escape");
  await lastReply(other).getByText("You stopped this reply.").waitFor();
  const texts = () => Promise.all([page, other].map((each) => lastReply(each).locator(".reply").innerText()));
  await until("the tabs differ", async () => {
    const [here, there] = await texts();
    return here === there;
  });
});

pageTest("a temporary chat says what it is, and is listed apart", {}, async (page) => {
  await page.getByRole("button", { name: "Make this a temporary chat" }).click();
  await page.getByText("gone when Ingle stops").first().waitFor();
  await sayAndWait(page, "A secret between us");
  await page
    .getByRole("region", { name: "Temporary" })
    .locator(".row", { hasText: "A secret between us" })
    .first()
    .waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("secret")), false);
});

pageTest("what an input method composes is not sent", {}, async (page) => {
  const { id } = await begin("Composing");
  await show(page, id);
  await field(page).focus();
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text: "nihao", selectionStart: 5, selectionEnd: 5 });
  await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Process", windowsVirtualKeyCode: 229 });
  await field(page).dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true });
  await page.waitForTimeout(150);
  assert.equal(await page.locator(".message").count(), 0);
  await session.send("Input.insertText", { text: "你好" });
  await field(page).press("Enter");
  await page.locator(".message-user", { hasText: "你好" }).waitFor();
  await settled(page);
});

pageTest("Shift+Enter is a new line, and an empty message is not sent", {}, async (page) => {
  await show(page, (await begin("Lines")).id);
  await field(page).press("Enter");
  await field(page).fill("  ");
  await field(page).press("Enter");
  assert.equal(await page.locator(".message").count(), 0);
  await field(page).fill("one");
  await field(page).press("Shift+Enter");
  await field(page).pressSequentially("two");
  await field(page).press("Enter");
  await page.locator(".message-user .message-text").waitFor();
  assert.equal(await page.locator(".message-user .message-text").innerText(), "one\ntwo");
  await settled(page);
});

pageTest("a draft outlives a reload and belongs to its conversation", {}, async (page) => {
  const first = await begin("Draft one");
  const second = await begin("Draft two");
  await show(page, first.id);
  await field(page).fill("half a thought");
  await show(page, second.id);
  assert.equal(await field(page).inputValue(), "");
  await field(page).fill("another thought");
  await page.reload();
  await field(page).waitFor();
  assert.equal(await field(page).inputValue(), "another thought");
  await show(page, first.id);
  await until("the draft is lost", async () => (await field(page).inputValue()) === "half a thought");
});

pageTest("who scrolls up while a reply grows is left there, and can jump to the end", {}, async (page) => {
  await page.setViewportSize({ width: 900, height: 420 });
  await show(page, (await beginLong("Scrolling")).id);
  await say(page, LONG);
  await page.waitForFunction(() => {
    const area = document.querySelector(".transcript");
    return area && area.scrollHeight > area.clientHeight + 150;
  });
  await page.mouse.move(600, 200);
  await page.mouse.wheel(0, -100);
  await page.getByRole("button", { name: "Jump to latest" }).waitFor();
  const top = await page.locator(".transcript").evaluate((area) => area.scrollTop);
  await page.waitForTimeout(500);
  assert.equal(await page.locator(".transcript").evaluate((area) => area.scrollTop), top);
  await page.getByRole("button", { name: "Jump to latest" }).click();
  await page.getByRole("button", { name: "Jump to latest" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await settled(page);
});
