// The page of models: what each would take, downloads (from a hub on this machine), loading, deleting.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { api, base, letFetch, open, pageTest, until } from "./support.ts";

const MODELS = { hash: "#/models" };
const WHOLE = 1e9;
const card = (page: Page, name: string) =>
  page.locator(".model", { has: page.getByRole("heading", { name, exact: true }) });

interface Told {
  offline: string | null;
  models: { name: string; measured: { decode_tps: { tokens_per_second: number; runs: number } | null } }[];
}

/** Has the page be told something else of the catalogue. */
async function change(page: Page, how: (told: Told) => void) {
  await page.route(`${base}/app/catalogue*`, async (route) => {
    try {
      const response = await route.fetch();
      const told = (await response.json()) as Told;
      how(told);
      await route.fulfill({ response, json: told });
    } catch {
      // The page was closed meanwhile.
    }
  });
}

pageTest("stored models and those of the catalogue tell what they take", MODELS, async (page) => {
  const stored = page.getByRole("region", { name: "On this device" });
  await stored.locator(".model").first().waitFor();
  await stored.getByText("Default", { exact: true }).waitFor();
  const large = card(page, "qwen3-4b");
  await large.getByText("Licence: Apache-2.0").waitFor();
  await large.getByText(/tokens of context/).waitFor();
  await large
    .getByText(/about [\d.,]+ tokens\/s \([\d.,]+ to [\d.,]+\)/)
    .first()
    .waitFor();
  const before = await large.locator(".model-fact").textContent();
  await page.getByRole("combobox").selectOption("32768");
  await large.getByText(/32,768 tokens of context/).waitFor();
  assert.notEqual(await large.locator(".model-fact").textContent(), before);
  await large.getByText("Where the memory goes").click();
  await large.getByText("Weights").waitFor();
});

pageTest("a download goes on without the page, is paused, resumed and deleted", MODELS, async (page) => {
  await letFetch(600_000);
  const model = card(page, "distant");
  await model.getByRole("button", { name: "Fetch distant" }).click();
  const question = page.getByRole("dialog");
  await question.getByText("For tests only.").waitFor();
  await question.getByRole("button", { name: "Agree and fetch" }).click();
  await model.getByRole("progressbar").waitFor();
  // Another page sees it, and this one after it was away.
  const other = await open(MODELS);
  await card(other.page, "distant").getByRole("button", { name: "Pause" }).click();
  await model.getByText(/ · 5\d % · paused/).waitFor();
  await other.page.context().close();
  await page.reload();
  await model.getByText(/paused/).waitFor();
  await model.getByRole("button", { name: "Resume" }).click();
  await letFetch(WHOLE);
  await page.getByText("distant is here.").first().waitFor();
  await model.getByRole("button", { name: "Load distant into memory" }).waitFor();
  await model.getByRole("button", { name: "Delete distant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await model.getByRole("button", { name: "Delete distant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await model.getByRole("button", { name: "Fetch distant" }).waitFor();
});

pageTest("a cancelled download leaves nothing", MODELS, async (page) => {
  await letFetch(600_000);
  const model = card(page, "distant");
  await model.getByRole("button", { name: "Fetch distant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Agree and fetch" }).click();
  await model.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove the part" }).click();
  await model.getByRole("button", { name: "Fetch distant" }).waitFor();
  await letFetch(WHOLE);
  const { models } = await api<{ models: { name: string; partial_bytes: number }[] }>("GET", "/app/catalogue");
  assert.equal(models.find((each) => each.name === "distant")?.partial_bytes, 0);
});

pageTest("an answer that comes late takes back nothing that was told since", MODELS, async (page) => {
  await letFetch(600_000);
  const model = card(page, "distant");
  await model.getByRole("button", { name: "Fetch distant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Agree and fetch" }).click();
  await model.getByRole("progressbar").waitFor();
  await model.getByRole("button", { name: "Pause" }).waitFor();
  await page.waitForTimeout(300); // what the page asked for after the beginning is there
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    void page.route(
      `${base}/app/catalogue*`,
      async (route) => {
        const response = await route.fetch();
        const released = new Promise<void>((go) => (release = go));
        resolve();
        await released;
        await route.fulfill({ response });
      },
      { times: 1 },
    );
  });
  await page.getByRole("combobox").selectOption("32768");
  await held;
  await api("POST", "/app/pulls/distant/pause");
  await model.getByText(/paused/).waitFor();
  const taken = page.waitForResponse(`${base}/app/catalogue*`);
  release();
  await taken;
  await card(page, "qwen3-4b")
    .getByText(/32,768 tokens of context/)
    .waitFor();
  await model.getByText(/paused/).waitFor();
  await model.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove the part" }).click();
  await model.getByRole("button", { name: "Fetch distant" }).waitFor();
  await letFetch(WHOLE);
});

pageTest("a download that fails says why, and can be tried again", MODELS, async (page) => {
  await page.getByRole("textbox", { name: "Address of the model" }).fill("hf:o/r/nothing.gguf");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "404" }).waitFor();
  await page.getByRole("button", { name: "Try again" }).waitFor();
  await page.locator(".pull").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove the part" }).click();
  await page.locator(".pull").waitFor({ state: "detached" });
});

pageTest("a name that nobody has is refused", MODELS, async (page, watched) => {
  watched.allow(/status of 404/);
  await page.getByRole("textbox", { name: "Address of the model" }).fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByText(/the catalogue has no model 'nobody'/).waitFor();
});

pageTest("models are unloaded and loaded", MODELS, async (page) => {
  const loaded = page.locator(".model").filter({ hasText: "In memory" }).first();
  const name = (await loaded.getByRole("heading").textContent())!;
  const model = card(page, name);
  await model.getByRole("button", { name: `Unload ${name} from memory` }).click();
  await model.getByRole("button", { name: `Load ${name} into memory` }).click();
  await model.getByText("In memory").waitFor();
  await until("it is in memory", async () =>
    (await api<{ models: { name: string; loaded: boolean }[] }>("GET", "/app/state")).models.some(
      (each) => each.name === name && each.loaded,
    ),
  );
});

pageTest("a model is deleted only after a question, and not while it answers", MODELS, async (page, watched) => {
  watched.allow(/status of 409/);
  let asked = 0;
  await page.route(`${base}/app/models/*`, (route) => {
    ++asked;
    return route.fulfill({ status: 409, json: { error: { message: "it is writing an answer", code: "in_use" } } });
  });
  await page.locator(".model").first().getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(asked, 0);
  await page.locator(".model").first().getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("it is writing an answer").waitFor();
  assert.equal(asked, 1);
});

pageTest("where nothing may be fetched the page says so", MODELS, async (page) => {
  await change(page, (told) => (told.offline = "the server runs with --offline"));
  await page.reload();
  await page.getByText("Nothing can be fetched: the server runs with --offline.").waitFor();
  assert.ok(await card(page, "qwen3-4b").getByRole("button", { name: "Fetch qwen3-4b" }).isDisabled());
});

pageTest("what was measured stands beside the prediction", MODELS, async (page) => {
  await change(page, (told) => {
    told.models.find((each) => each.name === "qwen3-4b")!.measured.decode_tps = { tokens_per_second: 12.5, runs: 4 };
  });
  await page.reload();
  await card(page, "qwen3-4b").getByText("measured: 13 tokens/s, median of 4 answers").waitFor();
});

pageTest("the model of a chat is chosen above it", {}, async (page) => {
  await page.getByRole("button", { name: "Choose a model" }).click();
  await page.getByRole("menuitemradio").first().waitFor();
  assert.equal(await page.getByRole("menuitemradio", { checked: true }).count(), 1);
  await page.getByRole("menuitem", { name: "Manage models…" }).click();
  await page.getByRole("heading", { name: "Models", exact: true }).waitFor();
});
