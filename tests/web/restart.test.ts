// The server goes away and comes back.

import assert from "node:assert/strict";
import { begin, beginLong, field, grown, lastReply, LONG, pageTest, say, sayAndWait, show, until } from "./support.ts";

const restart = process.env["INGLE_RESTART_URL"];

pageTest(
  "while the server is away the page says so, keeps the draft, and comes back by itself",
  {},
  async (page, watched) => {
    watched.allow(/ERR_|Failed to load|net::/);
    const { id } = await begin("Offline");
    await show(page, id);
    await sayAndWait(page, "Before");
    await page.route("**/app/**", (route) => route.abort());
    await page.reload(); // which ends the stream that is open
    await page.getByText("Reconnecting…").waitFor();
    await field(page).fill("Not sent yet");
    await field(page).press("Enter");
    await page.locator(".notice-error").getByText("Your draft is kept").waitFor();
    assert.equal(await field(page).inputValue(), "Not sent yet");
    await page.unroute("**/app/**");
    await page.getByText("Reconnecting…").waitFor({ state: "detached" });
    await page.locator(".message-user", { hasText: "Before" }).waitFor();
    await field(page).press("Enter");
    await page.locator(".message-user", { hasText: "Not sent yet" }).waitFor();
  },
);

if (restart) {
  pageTest("a restart of the server in the midst of a reply is survived", {}, async (page, watched) => {
    watched.allow(/ERR_|Failed to load|net::/);
    const { id } = await beginLong("Restarted");
    await show(page, id);
    await say(page, LONG);
    await grown(page, 20);
    await fetch(restart, { method: "POST" });
    await page.getByText("Reconnecting…").waitFor();
    await field(page).fill("typed meanwhile");
    await page.getByText("Reconnecting…").waitFor({ state: "detached" });
    await lastReply(page).getByText("Ingle was closed while this reply was written.").waitFor();
    assert.equal(await field(page).inputValue(), "typed meanwhile");
    await lastReply(page).getByRole("button", { name: "Try again" }).click();
    await until("there is no other reply", async () =>
      (await lastReply(page).locator(".branches").innerText()).includes("2/2"),
    );
    await page.keyboard.press("Escape");
  });
}
