// Files that a person gives to the model.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { begin, field, pageTest, sayAndWait, settled, show } from "./support.ts";

const pick = (page: Page, name: string, mimeType: string, content: string | Buffer) =>
  page.locator(".composer input[type=file]").setInputFiles({ name, mimeType, buffer: Buffer.from(content) });

pageTest("a text file is attached, sent, kept and downloaded", {}, async (page) => {
  await show(page, (await begin("With a file")).id);
  await pick(page, "notes.txt", "text/plain", "The answer is 42.");
  await page.locator(".composer .chip", { hasText: "notes.txt" }).getByRole("button", { name: "Remove" }).waitFor();
  await page.reload();
  await page.locator(".composer .chip", { hasText: "notes.txt" }).waitFor(); // part of the draft
  await field(page).fill("What is the answer?");
  await field(page).press("Enter");
  const chip = page.locator(".message-user .chip", { hasText: "notes.txt" });
  await chip.waitFor();
  await settled(page);
  const [download] = await Promise.all([page.waitForEvent("download"), chip.getByRole("button").click()]);
  assert.equal(download.suggestedFilename(), "notes.txt");
  assert.equal(await readFile(await download.path(), "utf8"), "The answer is 42.");
  assert.equal(await page.locator(".composer .chip").count(), 0);
});

pageTest("a PDF is attached, sent, and downloaded as it was", {}, async (page) => {
  const drawn = "BT /F 12 Tf 72 700 Td (The answer is 43.) Tj ET";
  const file = [
    "%PDF-1.4",
    "1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
    "2 0 obj << /Type /Pages /Count 1 /Kids [4 0 R] >> endobj",
    "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
    "4 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792]",
    "/Resources << /Font << /F 3 0 R >> >> /Contents 5 0 R >> endobj",
    `5 0 obj << /Length ${drawn.length} >> stream`,
    drawn,
    "endstream endobj",
    "trailer << /Root 1 0 R /Size 6 >>",
    "%%EOF",
  ].join("\n");
  await show(page, (await begin("With a PDF")).id);
  await pick(page, "paper.pdf", "application/pdf", file);
  await field(page).fill("What is the answer?");
  await page
    .locator(".composer .chip", { hasText: "paper.pdf" })
    .getByRole("button", { name: "Remove paper.pdf" })
    .waitFor();
  await field(page).press("Enter");
  const chip = page.locator(".message-user .chip", { hasText: "paper.pdf" });
  await chip.waitFor();
  await settled(page);
  const [download] = await Promise.all([page.waitForEvent("download"), chip.getByRole("button").click()]);
  assert.equal(await readFile(await download.path(), "utf8"), file);
});

pageTest("an attached file can be taken away again", {}, async (page) => {
  await show(page, (await begin("Without a file")).id);
  await pick(page, "wrong.txt", "text/plain", "wrong");
  await page.locator(".composer .chip").getByRole("button", { name: "Remove wrong.txt" }).click();
  await page.locator(".composer .chip").waitFor({ state: "detached" });
});

pageTest("an image is refused before it is sent anywhere", {}, async (page) => {
  let asked = 0;
  page.on("request", (request) => (asked += request.url().includes("/app/attachments") ? 1 : 0));
  await pick(page, "cat.png", "image/png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]));
  await page.getByText("images can’t be used yet").waitFor();
  assert.equal(asked, 0);
});

pageTest("what has no text is refused with the reason", {}, async (page, watched) => {
  watched.allow(/status of 400/);
  await pick(page, "noise.bin", "application/octet-stream", Buffer.from([0, 1, 2, 3, 0, 255, 254, 0]));
  await page.getByRole("alert").filter({ hasText: "noise.bin could not be attached" }).waitFor();
});

pageTest("what is sent while a file is on its way goes with the file", {}, async (page, watched) => {
  watched.allow(/ERR_FAILED/); // the upload that is cut off
  await show(page, (await begin("Hasty")).id);
  let arrive = (_: boolean) => {};
  await page.route("**/app/attachments", async (route) => {
    const arrives = await new Promise<boolean>((resolve) => (arrive = resolve));
    await (arrives ? route.continue() : route.abort());
  });
  const sent = page.locator(".message-user");
  const pickAndSend = async (name: string, text: string) => {
    const asked = page.waitForRequest("**/app/attachments");
    await pick(page, name, "text/plain", "The word is heron.");
    await asked;
    await field(page).fill(text);
    await field(page).press("Enter");
    await page.locator(".composer .send:disabled").waitFor();
    assert.equal(await sent.count(), 0);
  };
  await pickAndSend("lost.txt", "Which");
  arrive(false);
  await page.getByText("lost.txt").first().waitFor(); // what went wrong is told, and nothing is sent without it
  await page.locator(".composer .send:enabled").waitFor();
  await pickAndSend("late.txt", "Which word?");
  arrive(true);
  await sent.locator(".chip", { hasText: "late.txt" }).waitFor();
  assert.equal(await sent.count(), 1);
  await settled(page);
});

pageTest("a temporary chat's files are temporary, too", {}, async (page) => {
  await pick(page, "kept.txt", "text/plain", Buffer.from("kept"));
  await page.locator(".composer .chip", { hasText: "kept.txt" }).waitFor();
  await page.getByRole("button", { name: "Make this a temporary chat" }).click();
  await page.getByText("Attach your files again").waitFor();
  assert.equal(await page.locator(".composer .chip").count(), 0);
  const asked = page.waitForRequest((request) => request.url().endsWith("/app/attachments"));
  await pick(page, "passing.txt", "text/plain", Buffer.from("The word is heron."));
  assert.equal((await asked).postDataJSON().temporary, true);
  await page.locator(".composer .chip", { hasText: "passing.txt" }).waitFor();
  await sayAndWait(page, "Which word?");
  await page.locator(".message-user .chip", { hasText: "passing.txt" }).waitFor();
});

pageTest("dropped files are attached", {}, async (page) => {
  await show(page, (await begin("Dropping")).id);
  const transfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["dropped"], "dropped.md", { type: "text/markdown" }));
    return transfer;
  });
  await page.locator(".chat").dispatchEvent("dragover", { dataTransfer: transfer });
  await page.getByText("Drop files to attach them").waitFor();
  await page.locator(".chat").dispatchEvent("drop", { dataTransfer: transfer });
  await page.locator(".composer .chip", { hasText: "dropped.md" }).waitFor();
});

pageTest("a long pasted text can become a file", {}, async (page) => {
  await show(page, (await begin("Pasting")).id);
  await field(page).fill("Summarise this: ");
  await field(page).evaluate((area: HTMLTextAreaElement) => {
    const text = "word ".repeat(1200);
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    area.setRangeText(text, area.value.length, area.value.length, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
  await page.getByText("You pasted 6,000 characters.").waitFor();
  await page.getByRole("button", { name: "Attach as a file" }).click();
  await page.locator(".composer .chip", { hasText: "pasted text.txt" }).waitFor();
  assert.equal(await field(page).inputValue(), "Summarise this:");
});
