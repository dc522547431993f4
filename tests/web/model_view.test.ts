// The model view: what it shows is what the server says of the file, and what is compared is compared by the server.

import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { fits, tooSmall, violations } from "./looking.ts";
import { api, base, type Options, pageTest, theToken, until } from "./support.ts";

interface Tensor {
  name: string;
  format: string;
  dims: number[];
  elements: number;
  bytes: number;
}
interface Anatomy {
  architecture: string;
  config?: { layers: number };
  formats: { name: string }[];
  tensors: Tensor[];
  blocks: { kind: string; layer?: number; like?: number; ops: { name: string; weights: { tensor: string }[] }[] }[];
  reason?: string;
}
interface Pair {
  tensor: string;
  nmse: number;
}

const VIEW: Options = {
  hash: "#/inspect",
  before: () => localStorage.setItem("ingle.inspector.tab", "model"),
};
const PHONE: Options = { ...VIEW, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const anatomyOf = (model: string) => api<Anatomy>("GET", `/app/models/${model}/anatomy`);
const choice = (page: Page, name: string) => page.getByRole("combobox", { name, exact: true });
const operations = (page: Page) => page.locator(".graph").getByRole("option");
const detail = (page: Page) => page.getByRole("region", { name: "About what is picked" });
const table = (page: Page) => page.getByRole("grid", { name: "Tensors" });
const names = (page: Page) => table(page).locator(".tensor-row code").allInnerTexts();

const fact = (within: Locator, name: string) =>
  within
    .locator(".fact")
    .filter({ has: within.page().getByText(name, { exact: true }) })
    .locator("dd");

/** The view of this model. */
async function look(page: Page, model: string) {
  await choice(page, "Model").selectOption(model);
  await page.locator(".formats").waitFor();
}

async function compare(page: Page, reference: string) {
  await choice(page, "Reference").selectOption(reference);
  await page.getByRole("button", { name: "Compare", exact: true }).click();
}

/** Has the page be told something else of models. */
async function change(page: Page, how: (told: Anatomy) => void) {
  await page.route(`${base}/app/models/*/anatomy`, async (route) => {
    const response = await route.fetch();
    const told = (await response.json()) as Anatomy;
    how(told);
    await route.fulfill({ response, json: told });
  });
}

/** What the server says of two files. */
async function pairsOf(model: string, reference: string): Promise<Pair[]> {
  const response = await fetch(`${base}/app/models/${model}/comparison?reference=${reference}`, {
    headers: { Authorization: `Bearer ${await theToken()}` },
  });
  const events = (await response.text()).split("\n").filter((line) => line.startsWith("data:"));
  return events.map((line) => JSON.parse(line.slice(5))).filter(({ type }) => type === "pair");
}

pageTest("a file's facts, number formats and tensors are shown", VIEW, async (page) => {
  const told = await anatomyOf("phi3");
  await look(page, "phi3");
  const facts = page.locator(".model-scroll .facts").first();
  assert.equal(await fact(facts, "Architecture").innerText(), told.architecture);
  assert.equal(await fact(facts, "Layers").innerText(), String(told.config!.layers));
  assert.deepEqual(
    await page.locator(".formats-list b").allInnerTexts(),
    told.formats.map(({ name }) => name),
  );
  const seen = await names(page);
  assert.ok(seen.length > 5);
  assert.deepEqual(
    seen,
    told.tensors.slice(0, seen.length).map(({ name }) => name),
  );
});

pageTest("the model in use is shown first, and each kind of layer is drawn once", VIEW, async (page) => {
  await page.locator(".formats").waitFor();
  const { default_model } = await api<{ default_model: string }>("GET", "/app/state");
  assert.equal(await choice(page, "Model").inputValue(), default_model);
  for (const model of [default_model, "gemma3"]) {
    await look(page, model);
    const { blocks } = await anatomyOf(model);
    const drawn = blocks.filter(({ kind, layer, like }) => kind !== "layer" || layer === like);
    const count = drawn.reduce((sum, { ops }) => sum + ops.length, 0);
    await until(`all of ${model} is drawn`, async () => (await operations(page).count()) === count);
    assert.equal(await page.locator(".graph-block").count(), drawn.length);
  }
});

pageTest("operations are gone through by keyboard, and their tensors told", VIEW, async (page) => {
  await look(page, "phi3");
  const layer = page.getByRole("listbox", { name: /^Layer 0/ });
  await layer.focus();
  await page.keyboard.press("Home");
  await detail(page).getByRole("heading", { name: "RMS norm" }).waitFor();
  await page.keyboard.press("End");
  await detail(page).getByRole("heading", { name: "Add" }).waitFor();
  assert.equal(await detail(page).locator(".histogram").count(), 0);
  await page.keyboard.press("ArrowUp");
  await detail(page).getByText("blk.0.ffn_down.weight").waitFor();
  const active = await layer.getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`#${active}`).getAttribute("aria-selected"), "true");
  interface Statistics {
    min: number;
    histogram: number[];
  }
  const path = "/app/models/phi3/statistics?tensor=blk.0.ffn_down.weight";
  const { min, histogram } = await api<Statistics>("GET", path);
  const shown = fact(detail(page), "Smallest");
  await shown.waitFor();
  assert.ok(Math.abs(Number(await shown.innerText()) - min) < 1e-3);
  const bars = (await detail(page).locator(".histogram-bars").getAttribute("d"))!;
  assert.equal(bars.split("M").length - 1, histogram.filter((count) => count > 0).length);
  // The same of another layer.
  await page.getByRole("slider", { name: /^Shown layer/ }).focus();
  await page.keyboard.press("ArrowRight");
  await detail(page).getByText("blk.1.ffn_down.weight").waitFor();
  await page.getByRole("listbox", { name: /^Layer 1/ }).focus();
  await page.keyboard.press("Escape");
  await detail(page).waitFor({ state: "detached" });
});

pageTest("an operation with two tensors tells of each", VIEW, async (page) => {
  await look(page, "gemma3");
  await operations(page)
    .filter({ hasText: /^Attention/ })
    .first()
    .click();
  await detail(page).getByText("blk.0.attn_q_norm.weight").waitFor();
  await detail(page).getByRole("radio", { name: "Key norm" }).check({ force: true });
  await detail(page).getByText("blk.0.attn_k_norm.weight").waitFor();
});

pageTest("tensors are filtered, sorted, and gone through by keyboard", VIEW, async (page) => {
  const { tensors } = await anatomyOf("phi3");
  await look(page, "phi3");
  const filter = page.getByLabel("Filter by name or format");
  await filter.fill("BLK.1 ffn");
  const found = tensors.filter(({ name }) => name.startsWith("blk.1.ffn")).map(({ name }) => name);
  await until("only those are there", async () => (await names(page)).join() === found.join());
  await filter.fill("");
  await table(page).getByRole("button", { name: "Size" }).click();
  const largest = tensors.toSorted((a, b) => b.bytes - a.bytes)[0]!;
  await until("the largest is first", async () => (await names(page))[0] === largest.name);
  await table(page).locator("[role=columnheader][aria-sort=descending]", { hasText: "Size" }).waitFor();
  await table(page).focus();
  await page.keyboard.press("ArrowDown");
  await detail(page).getByText(largest.name, { exact: true }).waitFor();
  await page.keyboard.press("End");
  await until("the last is in sight", async () => (await table(page).evaluate((each) => each.scrollTop)) > 0);
  assert.equal(await table(page).locator(".tensor-row[aria-selected=true]").count(), 1);
});

pageTest("thousands of tensors stay quick", VIEW, async (page) => {
  await page.locator(".formats").waitFor();
  await change(page, (told) => {
    const one = told.tensors[0]!;
    told.tensors = Array.from({ length: 2000 }, (_, i) => ({ ...one, name: `blk.${i}.weight`, bytes: i }));
  });
  await look(page, "phi3");
  await page.getByText("2,000 tensors").first().waitFor();
  assert.ok((await names(page)).length < 40);
  const took = await page.evaluate(async () => {
    const field = document.querySelector<HTMLInputElement>(".tensor-filter input")!;
    const begun = performance.now();
    for (const text of ["b", "bl", "blk.1", "blk.19", "blk.199"]) {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
    return performance.now() - begun;
  });
  await page.getByText("11 tensors").waitFor();
  assert.ok(took < 1000, `${took} ms`);
});

pageTest("two files of a model are compared, tensor by tensor", VIEW, async (page) => {
  await look(page, "phi3");
  await compare(page, "phi3-window");
  await page.getByText(/tensors compared with phi3-window/).waitFor();
  const pairs = await pairsOf("phi3", "phi3-window");
  const decibels = ({ nmse }: Pair) => (nmse > 0 ? `${Number((-10 * Math.log10(nmse)).toFixed(1))} dB` : "identical");
  const worst = pairs.toSorted((a, b) => b.nmse - a.nmse);
  await table(page).getByRole("button", { name: "Error" }).click();
  await until("the worst is first", async () => (await names(page))[0] === worst[0]!.tensor);
  const errors = await table(page).locator(".tensor-row .tensor-error").allInnerTexts();
  assert.deepEqual(errors, worst.slice(0, errors.length).map(decibels));
  // It is there again after another tab.
  await page.getByRole("tab", { name: "Memory" }).click();
  await page.getByRole("tab", { name: "Model" }).click();
  await page.getByText(/tensors compared with phi3-window/).waitFor();
  await page.getByRole("button", { name: worst[0]!.tensor }).click();
  assert.equal(await fact(detail(page), "Error").innerText(), decibels(worst[0]!));
  // And not with another model.
  await look(page, "gemma3");
  assert.equal(await page.locator(".comparison").count(), 0);
});

pageTest("files of different models are not compared, and why is said", VIEW, async (page) => {
  await look(page, "phi3");
  await compare(page, "gemma3");
  await page.getByText(/^These can’t be compared: .*architectures or sizes differ/).waitFor();
  await page.getByRole("button", { name: "Compare", exact: true }).waitFor();
});

pageTest("a comparison is given up when it is stopped, and when it is left", VIEW, async (page) => {
  await page.route(`${base}/app/models/*/comparison*`, () => {}); // never answered
  let open = 0;
  page.on("request", (request) => void (request.url().includes("/comparison") && ++open));
  page.on("requestfailed", (request) => void (request.url().includes("/comparison") && --open));
  await look(page, "phi3");
  await compare(page, "phi3-window");
  await page.getByRole("progressbar", { name: "Comparing tensors" }).waitFor();
  await until("it is asked for", async () => open === 1);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("Stopped after 0 tensors.").waitFor();
  await until("it is given up", async () => open === 0);
  for (const leave of [
    () => page.getByRole("tab", { name: "Memory" }).click(),
    () => choice(page, "Model").selectOption("gemma3"),
  ]) {
    await page.getByRole("tab", { name: "Model" }).click();
    await look(page, "phi3");
    await compare(page, "phi3-window");
    await until("it is asked for", async () => open === 1);
    await leave();
    await until("it is given up", async () => open === 0);
  }
});

pageTest("an architecture that is not supported has tensors all the same", VIEW, async (page) => {
  await page.locator(".formats").waitFor();
  await change(page, (told) => {
    told.blocks = [];
    delete told.config;
    told.reason = "the architecture is strange";
  });
  await look(page, "phi3");
  await page.getByText("the architecture is strange").waitFor();
  await table(page).locator(".tensor-row").first().click();
  await detail(page).locator(".histogram").waitFor();
});

pageTest("what a file says is text", VIEW, async (page, watched) => {
  const bad = "<img src=x onerror=alert(1)>";
  watched.allow(/404/);
  await page.locator(".formats").waitFor();
  await change(page, (told) => {
    const first = told.tensors[0]!;
    for (const weight of told.blocks.flatMap(({ ops }) => ops.flatMap(({ weights }) => weights)))
      if (weight.tensor === first.name) weight.tensor = bad;
    told.architecture = told.formats[0]!.name = first.name = first.format = bad;
  });
  await page.route(`${base}/app/models/*/statistics*`, (route) =>
    route.fulfill({ status: 404, json: { error: { message: bad } } }),
  );
  await look(page, "phi3");
  await table(page).locator(".tensor-row").first().click();
  await detail(page).getByText(bad).first().waitFor();
  await page.locator(".graph text", { hasText: bad }).first().waitFor();
  assert.equal(await page.locator(".inspector img").count(), 0);
});

for (const theme of ["light", "dark"] as const) {
  pageTest(`axe finds nothing serious in the model view, ${theme}`, { ...VIEW, theme }, async (page) => {
    await look(page, "phi3");
    await operations(page).nth(3).click();
    await detail(page).locator(".histogram").waitFor();
    assert.deepEqual(await violations(page), []);
    await compare(page, "phi3-window");
    await page.getByText(/tensors compared with/).waitFor();
    await page.waitForTimeout(300);
    assert.deepEqual(await violations(page), []);
    await page.getByLabel("Filter by name or format").fill("nothing has this name");
    await compare(page, "gemma3");
    await page.getByText(/^These can’t be compared/).waitFor();
    assert.deepEqual(await violations(page), []);
  });
}

pageTest("the model view fits a phone", PHONE, async (page) => {
  await look(page, "gemma3");
  await fits(page);
  await tooSmall(page);
  await operations(page).nth(5).tap();
  await detail(page).locator(".histogram").waitFor();
  await look(page, "phi3");
  await compare(page, "phi3-window");
  await page.getByText(/tensors compared with/).waitFor();
  await table(page).locator(".tensor-row").first().tap();
  await detail(page).locator(".histogram").waitFor();
  await fits(page);
  await tooSmall(page);
});

pageTest("the model view speaks Chinese", { ...VIEW, language: "zh" }, async (page) => {
  await choice(page, "模型").selectOption("gemma3");
  await operations(page).nth(5).click();
  await page.locator(".histogram").waitFor();
  await choice(page, "参照").selectOption("phi3");
  await page.getByRole("button", { name: "比较" }).click();
  await page.getByText(/^无法比较/).waitFor();
  const words = await page.locator(".model").evaluate((root) => {
    const labels = [...root.querySelectorAll("[aria-label], [title], [placeholder]")].flatMap((each) =>
      ["aria-label", "title", "placeholder"].map((name) => each.getAttribute(name) ?? ""),
    );
    const texts = [...root.querySelectorAll("text, button, p, h3, h4, span, dt, legend, strong")]
      .filter((each) => !each.children.length && !each.closest("code"))
      .map((each) => each.textContent ?? "");
    return [...labels, ...texts];
  });
  const known = /\.weight$|^NMSE$|^GELU/;
  const english = words.filter((text) => /[a-z]{4}/i.test(text) && !/[\u4e00-\u9fff]/.test(text) && !known.test(text));
  assert.deepEqual(english, []);
});
