// The first page, of a server that has no model yet: one button leads to a chat that answers. test_web.py runs it with a
// server of its own (INGLE_FIRST_RUN), as it is not shown a second time.

import assert from "node:assert/strict";
import { api, base, field, letFetch, pageTest, settled } from "./support.ts";

pageTest("the first page leads from nothing to a chat", {}, async (page) => {
  await page.getByRole("heading", { name: "Welcome to Ingle" }).waitFor();
  assert.match(page.url(), /#\/machine$/);
  await page.getByText("What was found").waitFor();
  await page.getByText("inference engine").first().waitFor();
  await letFetch(20_000_000);
  await page.getByRole("button", { name: "Fetch smollm2-135m and begin" }).click();
  await page.getByRole("progressbar").waitFor();
  // It goes on while the page is away, and the way to the chat is still one button.
  await page.reload();
  await page.getByRole("progressbar").waitFor();
  await letFetch(1e9);
  await page.getByRole("button", { name: "Load smollm2-135m and begin" }).click();
  await page.locator(".welcome").waitFor();
  await field(page).fill("Hello");
  await field(page).press("Enter");
  await settled(page);
  assert.ok((await page.locator(".message-assistant .reply").textContent())!.length > 0);
  assert.equal((await api<{ default_model: string }>("GET", "/app/state")).default_model, "smollm2-135m");
});

pageTest("it is not opened again, and is reached from the settings", {}, async (page) => {
  await api("DELETE", "/app/conversations");
  await page.reload();
  await page.locator(".welcome").waitFor();
  await page.goto(`${base}/#/settings`);
  await page.locator(".setting", { hasText: "This machine" }).getByRole("button", { name: "Show" }).click();
  await page.getByText("smollm2-135m is ready to answer.").waitFor();
  await page.getByRole("button", { name: "Begin" }).click();
  await page.locator(".welcome").waitFor();
});
