// Signing in and out.

import assert from "node:assert/strict";
import { codes, open, pageTest, theToken } from "./support.ts";

pageTest("who is signed in sees the chat, and no code in the address", {}, async (page) => {
  assert.match(page.url(), /#\/$/);
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
});

pageTest("who is not signed in is told how to, and nothing else", { signedOut: true }, async (page) => {
  await page.getByText("ingle open", { exact: true }).waitFor();
  assert.equal(await page.locator("nav, textarea").count(), 0);
});

pageTest("a code that is worth nothing is refused", { signedOut: true }, async (page, watched) => {
  watched.allow(/status of 4\d\d/);
  await page.evaluate(() => (location.hash = "#code=nonsense"));
  await page.getByRole("alert").waitFor();
  assert.ok(!page.url().includes("nonsense"));
});

pageTest("a token that is refused leads to the same page", {}, async (page, watched) => {
  watched.allow(/status of 401/);
  await page.evaluate(() => localStorage.setItem("ingle.token", "stale"));
  await page.reload();
  await page.getByText("ingle open", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("ingle.token")), null);
});

pageTest("a tab signs in when another does", { signedOut: true }, async (page) => {
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.evaluate((token) => localStorage.setItem("ingle.token", token), await theToken());
  await page.locator(".layout").waitFor();
});

if (codes.length > 1) {
  pageTest(
    "who signs out is out in all tabs, and the token is worth nothing",
    { signedOut: true },
    async (page, watched) => {
      watched.allow(/status of 401/);
      await page.evaluate((code) => (location.hash = `#code=${code}`), codes[1]!);
      await page.locator(".layout").waitFor();
      const token = await page.evaluate(() => localStorage.getItem("ingle.token"));
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.locator(".layout").waitFor();
      await page.getByRole("link", { name: "Settings", exact: true }).click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.locator(".signed-out").waitFor();
      await other.locator(".signed-out").waitFor();
      await page.evaluate((token) => localStorage.setItem("ingle.token", token!), token);
      await page.reload();
      await page.locator(".signed-out").waitFor();
    },
  );
}

pageTest("the page opens on the light and the dark theme that was chosen", { theme: "dark" }, async (page) => {
  const dark = await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  assert.equal(dark, "dark");
  const light = await open({ theme: "light", colorScheme: "dark" });
  assert.equal(await light.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "light");
  await light.page.context().close();
});
