// The inspector: what it shows is what the server recorded in the very pass that wrote the reply.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { fits, tooSmall, violations } from "./looking.ts";
import {
  api,
  begin,
  field,
  lastReply,
  LONG,
  beginLong,
  pageTest,
  sayAndWait,
  say,
  settled,
  show,
  until,
} from "./support.ts";

interface Token {
  id: number;
  text: string;
  logprob: number;
  rank: number;
  entropy: number;
  top: { id: number; logprob: number }[];
  steps: { step: string; left: number; probability: number }[];
  ms: number;
}
interface Recording {
  message: number;
  layers: number;
  heads: number;
  prompt: { text: string; special?: boolean }[];
  tokens: Token[];
  finish: string | null;
  observing_ms: number;
}

const inspector = (page: Page) => page.getByRole("region", { name: "Inspector" });
const tab = (page: Page, name: string) => inspector(page).getByRole("tab", { name, exact: true });
const toggle = (page: Page) => page.locator(".page-header").getByRole("button", { name: /^Inspector/ });
const tokens = (page: Page) => page.locator(".token");

/** A conversation with the inspector beside it, and a reply that was recorded. */
async function recorded(page: Page, title: string, text = "Tell me about a fire."): Promise<Recording> {
  const { id } = await begin(title);
  await show(page, id);
  await page.keyboard.press("Control+I");
  await inspector(page).getByText("Recording", { exact: true }).waitFor();
  await sayAndWait(page, text);
  await inspector(page)
    .getByText(/per token/)
    .waitFor();
  return api<Recording>("GET", `/app/inspector/${await messageOf(page)}`);
}

async function messageOf(page: Page): Promise<number> {
  return Number((await lastReply(page).getAttribute("id"))!.slice("message-".length));
}

pageTest("the inspector costs nothing until it is opened, and nothing once it is closed", {}, async (page) => {
  const asked: string[] = [];
  const open = new Set<string>();
  page.on("request", (request) => {
    asked.push(request.url());
    if (request.url().includes("/app/inspector?")) open.add(request.url());
  });
  page.on("requestfailed", (request) => open.delete(request.url()));
  page.on("requestfinished", (request) => open.delete(request.url()));
  const { id } = await begin("Opened and closed");
  await show(page, id);
  assert.ok(!asked.some((url) => /inspector/i.test(url)), "something was loaded before it was opened");
  await toggle(page).click();
  await tab(page, "Tokens").waitFor();
  await page.waitForFunction((id) => location.hash === `#/c/${id}/inspect`, id);
  await until("the stream is open", async () => open.size === 1);
  await page.reload();
  await tab(page, "Tokens").waitFor();
  await page.goBack();
  await tab(page, "Tokens").waitFor({ state: "detached" });
  await until("the stream is closed", async () => open.size === 0);
  await page.keyboard.press("Control+I");
  await tab(page, "Tokens").waitFor();
  await inspector(page)
    .getByRole("button", { name: /^Close the inspector/ })
    .click();
  await tab(page, "Tokens").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.matches(".inspector-button"));
});

pageTest("a reply is shown token by token, as it was recorded", {}, async (page) => {
  const recording = await recorded(page, "Token by token");
  assert.equal(await tokens(page).count(), recording.tokens.length);
  assert.equal(recording.finish, "length");
  assert.ok(recording.observing_ms >= 0);
  for (const token of recording.tokens) {
    assert.equal(token.rank, 0, "greedily, each is the likeliest");
    assert.equal(token.top[0]!.id, token.id);
    assert.ok(Math.abs(token.top[0]!.logprob - token.logprob) < 1e-4);
    const seen = token.top.reduce((sum, each) => sum + Math.exp(each.logprob), 0);
    assert.ok(seen <= 1 + 1e-4, String(seen));
    assert.ok(token.entropy >= 0 && token.ms > 0);
    assert.equal(token.steps.at(-1)!.left, 1);
  }
  const { content } = await message(page);
  assert.equal(
    recording.tokens
      .map(({ text }) => text)
      .join("")
      .trim(),
    content.trim(),
  );
});

async function message(page: Page): Promise<{ content: string }> {
  const conversation = Number(/#\/c\/(\d+)/.exec(page.url())![1]);
  const { messages } = await api<{ messages: { id: number; content: string }[] }>(
    "GET",
    `/app/conversations/${conversation}`,
  );
  const id = await messageOf(page);
  return messages.find((each) => each.id === id)!;
}

pageTest("tokens come while they are written, and the newest is followed", {}, async (page) => {
  const { id } = await beginLong("Followed");
  await show(page, id);
  await page.keyboard.press("Control+I");
  await inspector(page).getByText("Recording", { exact: true }).waitFor();
  await say(page, LONG);
  await page.waitForFunction(() => document.querySelectorAll(".token").length > 20);
  await inspector(page).getByText("the newest").waitFor();
  const before = await tokens(page).count();
  await page.waitForFunction((before) => document.querySelectorAll(".token").length > before, before);
  await page.locator("#token-3").click();
  await page.mouse.move(5, 5);
  await inspector(page)
    .getByText(/^Token 4 of/)
    .waitFor();
  await inspector(page).getByRole("button", { name: "Follow the newest token" }).click();
  await inspector(page).getByText("the newest").waitFor();
  await page.locator(".composer .stop").click();
  await settled(page);
  const { tokens: all } = await api<Recording>("GET", `/app/inspector/${await messageOf(page)}`);
  await until("all tokens are there", async () => (await tokens(page).count()) === all.length);
});

pageTest("a token is chosen by keyboard, and told all about", {}, async (page) => {
  await recorded(page, "By keyboard, a token");
  await page.locator(".token-text").focus();
  await page.keyboard.press("Home");
  const place = inspector(page).locator(".detail-place");
  await until("the first", async () => /^Token 1 of 12/.test(await place.innerText()));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await until("the third", async () => /^Token 3 of 12/.test(await place.innerText()));
  assert.equal(await page.locator(".token[aria-selected=true]").getAttribute("id"), "token-2");
  await page.keyboard.press("End");
  await until("the last", async () => /^Token 12 of 12/.test(await place.innerText()));
  assert.equal(await inspector(page).locator(".alternatives li").count(), 10);
  assert.equal(await inspector(page).locator(".alternatives .taken").count(), 1);
  assert.ok((await inspector(page).locator(".steps li").count()) >= 2);
  for (const measure of ["Probability", "Time", "Entropy"]) {
    await inspector(page).getByRole("radio", { name: measure }).check({ force: true });
    await inspector(page)
      .getByRole("img", { name: new RegExp(`^Shades by ${measure}`, "i") })
      .waitFor();
  }
});

pageTest("a reply from before says so, and is written again with the inspector open", {}, async (page) => {
  const { id } = await begin("From before");
  await show(page, id);
  await sayAndWait(page, "Hello");
  await lastReply(page).getByRole("button", { name: "Inspect" }).click();
  await inspector(page).getByText("Nothing was recorded of this reply").waitFor();
  const first = await messageOf(page);
  await inspector(page).getByRole("button", { name: "Write it again" }).click();
  await inspector(page)
    .getByText(/per token/)
    .waitFor();
  assert.notEqual(await messageOf(page), first);
  assert.ok((await tokens(page).count()) > 0);
  await lastReply(page).getByText("2/2").waitFor();
});

pageTest("replies are gone through one by one", {}, async (page) => {
  await recorded(page, "One by one");
  await sayAndWait(page, "Another one, please.");
  await inspector(page).getByText("Reply 2 of 2").waitFor();
  await inspector(page).getByRole("button", { name: "Previous reply" }).click();
  await inspector(page).getByText("Reply 1 of 2").waitFor();
  assert.match(page.url(), /\/inspect\/\d+$/);
  await tokens(page).first().waitFor();
  await inspector(page).getByRole("button", { name: "Next reply" }).click();
  await inspector(page).getByText("Reply 2 of 2").waitFor();
  assert.match(page.url(), /\/inspect$/);
});

pageTest("the prompt is what the template makes of the conversation", {}, async (page) => {
  const recording = await recorded(page, "The prompt", "What is a hearth?");
  await tab(page, "Prompt").click();
  const text = page.locator(".prompt-text");
  assert.match((await text.innerText()).replaceAll("⏎", ""), /What is a hearth\?/);
  assert.equal(await text.locator(".piece").count(), recording.prompt.length);
  const special = recording.prompt.filter((piece) => piece.special).length;
  assert.ok(special > 0);
  assert.equal(await text.locator(".piece-special").count(), special);
});

pageTest("the lens ends in what the model said, and attention in one", {}, async (page) => {
  const recording = await recorded(page, "Layers and attention");
  await page.locator("#token-3").click();
  await page.mouse.move(5, 5);
  await tab(page, "Layers").click();
  const rows = page.locator(".lens tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), recording.layers + 1);
  await inspector(page)
    .getByText(/likeliest/)
    .first()
    .waitFor();
  interface Lens {
    layers: { rank: number; probability: number; top: { id: number }[] }[];
  }
  const lens = await api<Lens>("GET", `/app/lens/${recording.message}?token=3&top=5`);
  const last = lens.layers.at(-1)!;
  const token = recording.tokens[3]!;
  assert.equal(last.rank, token.rank);
  assert.equal(last.top[0]!.id, token.top[0]!.id);
  assert.ok(Math.abs(last.probability - Math.exp(token.logprob)) < 0.01, `${last.probability} ${token.logprob}`);

  await tab(page, "Attention").click();
  const text = page.locator(".attention-text");
  await text.waitFor();
  await inspector(page)
    .getByRole("slider", { name: /^Layer/ })
    .focus();
  await page.keyboard.press("Home");
  await inspector(page).getByRole("slider", { name: /^Head/ }).focus();
  await page.keyboard.press("ArrowRight");
  await inspector(page).locator(".attention-most li").first().waitFor();
  interface Attention {
    position: number;
    first: number;
    heads: number[][];
  }
  const attention = await api<Attention>("GET", `/app/attention/${recording.message}?token=3&layer=0`);
  assert.equal(attention.heads.length, recording.heads);
  assert.equal(attention.position, recording.prompt.length + 2);
  for (const head of attention.heads) {
    assert.equal(head.length, attention.position + 1 - attention.first);
    assert.ok(Math.abs(head.reduce((sum, each) => sum + each, 0) - 1) < 1e-3);
  }
  assert.equal(await text.locator(".piece").count(), attention.position + 1 - attention.first);
});

pageTest("the timeline is zoomed, summed up, and saved for Perfetto", {}, async (page) => {
  await recorded(page, "Timeline");
  await tab(page, "Timeline").click();
  const canvas = page.getByRole("application", { name: /^Timeline/ });
  await canvas.waitFor();
  await page.locator(".operations tbody tr").first().waitFor();
  await canvas.focus();
  await page.keyboard.press("Home");
  const caption = page.locator(".operations caption");
  await page.waitForTimeout(300);
  const whole = await caption.innerText();
  for (let i = 0; i < 4; ++i) await page.keyboard.press("ArrowUp");
  await until("less is seen", async () => (await caption.innerText()) !== whole);
  await canvas.hover({ position: { x: 200, y: 60 } });
  await page.mouse.wheel(0, 200);
  await page.keyboard.press("Home");
  await until("all is seen", async () => (await caption.innerText()) === whole);
  for (const width of [1280, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    const ends = (row: string) =>
      page
        .locator(`.operations ${row}`)
        .first()
        .locator("> *:visible")
        .evaluateAll((cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().right)));
    assert.deepEqual(await ends("thead tr"), await ends("tbody tr"), "a number stands below its heading");
  }
  const coming = page.waitForEvent("download");
  await inspector(page).getByRole("button", { name: "Save for Perfetto" }).click();
  const file = JSON.parse(readFileSync((await (await coming).path())!, "utf8")) as {
    traceEvents: { ph: string; name: string; args?: { bytes?: number } }[];
  };
  assert.ok(file.traceEvents.some(({ ph, name }) => ph === "X" && name === "run"));
  assert.ok(file.traceEvents.some(({ args }) => (args?.bytes ?? 0) > 0));
});

pageTest("memory and device are live", {}, async (page) => {
  await recorded(page, "Live");
  await tab(page, "Memory").click();
  await inspector(page)
    .getByRole("img", { name: /pages in use/ })
    .first()
    .waitFor();
  await inspector(page)
    .getByRole("img", { name: /^Buffers of the arena/ })
    .waitFor();
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/app/memory")) ++asked;
  });
  await until("it is asked each second", async () => asked >= 2);
  await tab(page, "Device").click();
  const line = page.locator(".chart-line").first();
  await line.waitFor();
  const points = async () => ((await line.getAttribute("d")) ?? "").split("L").length;
  const before = await points();
  await until("a second later there is more", async () => (await points()) > before);
  const at = asked;
  await page.waitForTimeout(1500);
  assert.equal(asked, at, "memory is asked for where it is not shown");
});

pageTest("what is recorded is chosen, and the stream opened with it", {}, async (page) => {
  const { id } = await begin("Options");
  await show(page, id);
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/app/inspector?")) asked.push(request.url());
  });
  await page.keyboard.press("Control+I");
  await inspector(page).getByText("Recording", { exact: true }).waitFor();
  assert.match(asked.at(-1)!, /layers=true&timeline=true/);
  for (const name of ["Record layers", "Record the timeline"]) {
    await inspector(page).getByRole("button", { name: "What is recorded" }).click();
    await page.getByRole("menuitemcheckbox", { name }).click();
  }
  await until("both are off", async () => /layers=false&timeline=false/.test(asked.at(-1)!));
  await inspector(page).getByText("Recording", { exact: true }).waitFor();
  await sayAndWait(page, "Hello");
  await inspector(page)
    .getByText(/per token/)
    .waitFor();
  await tab(page, "Layers").click();
  await inspector(page).getByText("The layers of this reply were not recorded.").waitFor();
  await tab(page, "Timeline").click();
  await inspector(page).getByText("The timeline of this reply was not recorded.").waitFor();
});

pageTest("tabs are gone through by arrows, the width is changed by arrows", {}, async (page) => {
  await show(page, (await begin("Arrows")).id);
  await page.keyboard.press("Control+I");
  await tab(page, "Tokens").focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.activeElement?.textContent === "Prompt");
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.activeElement?.textContent === "Device");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.activeElement?.textContent === "Tokens");
  const divider = page.getByRole("separator", { name: "Width of the inspector" });
  const before = (await inspector(page).boundingBox())!.width;
  await divider.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await until("narrower", async () => (await inspector(page).boundingBox())!.width < before - 20);
  await field(page).fill("The chat is still there.");
});

const TABS = ["Tokens", "Prompt", "Layers", "Attention", "Timeline", "Model", "Memory", "Device"];

for (const theme of ["light", "dark"] as const) {
  pageTest(`axe finds nothing serious in the inspector, ${theme}`, { theme, reducedMotion: "reduce" }, async (page) => {
    await show(page, (await begin(`Accessible inspector, ${theme}`)).id);
    await page.keyboard.press("Control+I");
    await inspector(page).getByText("Nothing to inspect yet").waitFor();
    assert.deepEqual(await violations(page), []);
    await inspector(page).getByText("Recording", { exact: true }).waitFor();
    await sayAndWait(page, "Hello");
    await inspector(page)
      .getByText(/per token/)
      .waitFor();
    for (const name of TABS) {
      await tab(page, name).click();
      await page.waitForTimeout(600);
      assert.deepEqual(await violations(page), [], name);
    }
  });
}

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;

pageTest("on a phone the inspector is a page of its own", PHONE, async (page) => {
  const { id } = await begin("Inspected on a phone");
  await show(page, id);
  await toggle(page).tap();
  await inspector(page).getByText("Nothing to inspect yet").waitFor();
  assert.equal(await page.locator(".composer").count(), 0);
  await inspector(page).getByRole("button", { name: "Back to the chat" }).tap();
  await page.locator(".composer").waitFor();
  await field(page).fill("Hello from a phone");
  await page.locator(".send").tap();
  await settled(page);
  await lastReply(page).getByRole("button", { name: "Inspect" }).tap();
  await inspector(page).getByRole("button", { name: "Write it again" }).tap();
  await inspector(page)
    .getByText(/per token/)
    .waitFor();
  for (const name of TABS) {
    await tab(page, name).tap();
    await page.waitForTimeout(500);
    await fits(page);
    await tooSmall(page);
  }
});

pageTest("the inspector speaks Chinese", { language: "zh" }, async (page) => {
  await show(page, (await begin("检查")).id);
  await page.keyboard.press("Control+I");
  const region = page.getByRole("region", { name: "检查器" });
  await region.getByText("正在记录", { exact: true }).waitFor();
  await sayAndWait(page, "你好");
  await region.getByText(/每个词元/).waitFor();
  const english: string[] = [];
  for (const name of ["词元", "提示词", "各层", "注意力", "时间线", "模型", "内存", "设备"]) {
    await region.getByRole("tab", { name, exact: true }).click();
    await page.waitForTimeout(500);
    const words = await region.evaluate((root) => {
      const own =
        ".token-text, .token-chip, .prompt-text, .attention-text, .sampling, .operations th, .lens, .piece, .tensor-name, code";
      const labels = [...root.querySelectorAll("[aria-label], [title]")]
        .filter((element) => !element.closest(own))
        .flatMap((element) => ["aria-label", "title"].map((name) => element.getAttribute(name) ?? ""));
      const texts = [...root.querySelectorAll("button, p, h2, h3, span, label, legend, dt, caption, li, strong")]
        .filter((element) => !element.closest(own) && element.children.length === 0)
        .map((element) => element.textContent ?? "");
      return [...labels, ...texts];
    });
    english.push(...words.filter((text) => /[a-z]{4}/i.test(text) && !/[\u4e00-\u9fff]/.test(text)));
  }
  const known = /smollm|Ingle|Ctrl|GOPS|Mirostat|copy|#\d+/;
  assert.deepEqual(
    english.filter((text) => !known.test(text)),
    [],
  );
});
