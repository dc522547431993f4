// What all tests share: one browser, one sign-in, and pages that are watched. All files run in one process
// (--test-isolation=none), so that the code, which is worth one token, is used once.
//
// INGLE_BASE: the server's address. INGLE_CODE: a code as `ingle open` makes it; a second one after a comma lets the
// test of signing out run. INGLE_HUB_URL: a POST to it with /N at its end lets the hub's file be fetched up to byte N.
// INGLE_RESTART_URL: a POST to it makes the server end and start again.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";

export const base = (process.env["INGLE_BASE"] ?? "").replace(/\/$/, "");
export const codes = (process.env["INGLE_CODE"] ?? "").split(",").filter(Boolean);
export const PATIENCE = 30_000; // milliseconds

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

let browser: Promise<Browser> | undefined;
let token: Promise<string> | undefined;

export function theBrowser(): Promise<Browser> {
  const executablePath = process.env["INGLE_CHROMIUM"] ?? PROGRAMS.find((path) => existsSync(path));
  assert.ok(executablePath, "there is no chromium");
  return (browser ??= chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  }));
}

after(async () => {
  const running = await browser?.catch(() => null);
  await running?.close();
});

/** The first code's, by the page itself; what the page does with the code is looked at on the way. */
export function theToken(): Promise<string> {
  return (token ??= signIn());
}

async function signIn(): Promise<string> {
  const context = await (await theBrowser()).newContext();
  const page = await context.newPage();
  await page.goto(`${base}/#code=${codes[0]}`);
  await page.waitForSelector(".layout", { timeout: PATIENCE });
  assert.ok(!page.url().includes("code"), "the code stays in the address");
  const given = await page.evaluate(() => localStorage.getItem("ingle.token"));
  assert.ok(given, "no token was kept");
  await context.close();
  // Tests are of other pages than the first one, but for those of that.
  if (!process.env["INGLE_FIRST_RUN"]) {
    const welcomed = await fetch(`${base}/app/welcome`, {
      method: "POST",
      headers: { Authorization: `Bearer ${given}`, "Content-Type": "application/json" },
      body: JSON.stringify({ seen: true }),
    });
    assert.ok(welcomed.ok, "the first page can't be dismissed");
  }
  return given;
}

/** What went wrong in a page without anybody looking. */
export class Watched {
  readonly page: Page;
  readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.problems.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.problems.push(`error: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== "blob:" && origin !== new URL(base).origin) this.problems.push(`request to ${request.url()}`);
    });
  }

  /** What a test brings about on purpose. */
  allow(pattern: RegExp) {
    this.allowed.push(pattern);
  }

  async check() {
    const violations: string[] = await this.page
      .evaluate(() => (globalThis as unknown as { violations: string[] }).violations)
      .catch(() => []);
    const found = [...this.problems, ...violations].filter((each) => !this.allowed.some((ok) => ok.test(each)));
    assert.deepEqual(found, [], "the page has problems");
  }
}

export interface Options extends BrowserContextOptions {
  language?: "en" | "zh";
  theme?: "light" | "dark";
  signedOut?: boolean;
  hash?: string;
  /** Runs in the page before anything of it. */
  before?: () => void;
}

export async function open(options: Options = {}): Promise<Watched> {
  const { language = "en", theme, signedOut, hash = "#/", before, ...rest } = options;
  const context = await (await theBrowser()).newContext({ viewport: { width: 1280, height: 800 }, ...rest });
  const kept = { language, theme, token: signedOut ? null : await theToken() };
  await context.addInitScript((kept) => {
    const violations: string[] = [];
    Object.assign(globalThis, { violations, ran: [] });
    addEventListener("securitypolicyviolation", (event) =>
      violations.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`),
    );
    if (sessionStorage.getItem("tested")) return; // a reload keeps what the page has changed
    sessionStorage.setItem("tested", "yes");
    localStorage.setItem("ingle.language", kept.language);
    if (kept.theme) localStorage.setItem("ingle.theme", kept.theme);
    if (kept.token) localStorage.setItem("ingle.token", kept.token);
  }, kept);
  if (before) await context.addInitScript(before);
  const watched = new Watched(await context.newPage());
  await watched.page.goto(`${base}/${hash}`);
  await watched.page.waitForSelector(signedOut ? ".signed-out" : ".layout");
  return watched;
}

/** A test with a page of its own, which must end without problems. */
export function pageTest(name: string, options: Options, body: (page: Page, watched: Watched) => Promise<void>) {
  test(
    name,
    { timeout: 4 * PATIENCE, skip: base && codes.length ? false : "INGLE_BASE and INGLE_CODE are not set" },
    async () => {
      const watched = await open(options);
      try {
        await body(watched.page, watched);
        await watched.check();
      } catch (error) {
        const folder = process.env["INGLE_SCREENSHOTS"];
        if (folder)
          await watched.page.screenshot({ path: `${folder}/${name.replace(/\W+/g, "-")}.png` }).catch(() => {});
        throw error;
      } finally {
        await watched.page.context().close();
      }
    },
  );
}

// The server, asked beside the page.

export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(base + path, {
    method,
    headers: { Authorization: `Bearer ${await theToken()}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text || "{}") as T;
}

export interface Begun {
  id: number;
  title: string;
}

/** A conversation with parameters that make its replies short, and the same each time. */
export function begin(title: string, more: Record<string, unknown> = {}): Promise<Begun> {
  return api<Begun>("POST", "/app/conversations", {
    title,
    parameters: { max_tokens: 12, temperature: 0, seed: 1 },
    ...more,
  });
}

/** One whose replies take long enough to do something meanwhile. */
export const beginLong = (title: string) => begin(title, { parameters: { max_tokens: 3000, temperature: 1, seed: 1 } });

export const LONG =
  "story: Tell a very long story about a fire that never goes out. Do not stop before a thousand words.";

/** Lets the hub's file be fetched up to this byte. */
export async function letFetch(bytes: number) {
  const response = await fetch(`${process.env["INGLE_HUB_URL"]}/${bytes}`, { method: "POST" });
  assert.ok(response.ok);
}

// The page's parts.

export const field = (page: Page) => page.locator(".composer textarea");
export const replies = (page: Page) => page.locator(".message-assistant");
export const lastReply = (page: Page) => replies(page).last();
export const row = (page: Page, title: string) => page.locator(".row", { hasText: title });

export async function say(page: Page, text: string) {
  await field(page).fill(text);
  await field(page).press("Enter");
  await page
    .locator(".message-user", { hasText: text.slice(0, 60) })
    .last()
    .waitFor();
}

/** Waits until nothing is being written. The reply first: until it has begun, nothing is being written, either. */
export async function settled(page: Page) {
  await page.locator(".message-assistant.message-last > .message-actions .icon-button").first().waitFor();
  await page.locator(".composer .send").waitFor();
}

export async function sayAndWait(page: Page, text: string) {
  await say(page, text);
  await settled(page);
}

export async function show(page: Page, id: number) {
  await page.evaluate((id) => (location.hash = `#/c/${id}`), id);
  await page.waitForFunction((id) => location.hash === `#/c/${id}`, id);
}

/** Waits for the writing reply to have this much text. */
export async function grown(page: Page, length: number) {
  await page.waitForFunction(
    (length) => (document.querySelector(".message-assistant.message-last .reply")?.textContent?.length ?? 0) >= length,
    length,
    { timeout: PATIENCE },
  );
}

export async function until(what: string, condition: () => Promise<boolean>) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Chooses from the menu of a row, or of the page's header. */
export async function choose(page: Page, within: Locator, label: string) {
  // Focus stays with a row that others move; the pointer would be over another row then.
  await within.locator("a, button").first().focus();
  await within.locator("[aria-haspopup=menu]:not(.model-picker)").click();
  await page.locator(".menu:popover-open").getByText(label, { exact: true }).click();
}
