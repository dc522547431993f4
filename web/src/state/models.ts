// The models that can be had and those that are here, what each would take, and downloads that are under way. A download
// is the server's: it goes on when the page is closed, and all pages see it.

import { computed, signal } from "@preact/signals";
import { cancelPull, deleteModel, getCatalogue, loadModel, pausePull, startPull, unloadModel } from "../api/routes.ts";
import type { Catalogue, CatalogueModel, Pull } from "../api/types.ts";
import { formatBytes, t } from "../i18n/index.ts";
import { refreshServer } from "./library.ts";
import { announcement, confirm, notify, notifyError } from "./notices.ts";
import { Order } from "./order.ts";

export const catalogue = signal<Catalogue | null>(null);
export const pulls = signal<readonly Pull[]>([]);
/** Tokens of context that memory is told for; null: what the server would choose. */
export const context = signal<number | null>(null);
/** Models that are being loaded by this page. */
export const loading = signal<ReadonlySet<string>>(new Set());
/** Counts how often the server said that its models are others now. */
export const modelsChanged = signal(0);

export const pullOf = (model: string) => pulls.value.find((each) => each.model === model) ?? null;
export const recommended = computed(
  () => catalogue.value?.models.find((each) => each.name === catalogue.value?.recommended) ?? null,
);

const order = new Order();

export async function refreshCatalogue() {
  const asked = context.peek();
  const number = order.next();
  const told = await withPulls(
    () => getCatalogue(asked ?? undefined),
    () => context.peek() === asked && order.takes(number),
  );
  if (told) catalogue.value = told;
}

/** What was told of downloads while lists of them were on their way, in which it may be missing. */
const meanwhile = new Set<Pull[]>();

/** Takes an answer's list of downloads, unless it is of no use any more. */
async function withPulls<T extends { pulls: readonly Pull[] }>(ask: () => Promise<T>, useful: () => boolean) {
  const since: Pull[] = [];
  meanwhile.add(since);
  try {
    const told = await ask();
    if (!useful()) return null;
    pulls.value = told.pulls;
    since.forEach(show);
    return told;
  } finally {
    meanwhile.delete(since);
  }
}

/** What the server tells of a download. */
export function takePull(pull: Pull) {
  if (pull.state === "done") announce(t("models.pulled", { name: pull.model }));
  for (const since of meanwhile) since.push(pull);
  show(pull);
}

function show(pull: Pull) {
  const others = pulls.value.filter((each) => each.model !== pull.model);
  const over = pull.state === "done" || pull.state === "cancelled";
  if (over) pulls.value = others;
  else if (others.length === pulls.value.length) pulls.value = [...others, pull];
  else pulls.value = pulls.value.map((each) => (each.model === pull.model ? pull : each));
}

function announce(text: string) {
  notify(text);
  announcement.value = text;
}

/** Whether it was begun: a licence may ask to be agreed to first. */
export async function pull(name: string): Promise<boolean> {
  const entry = catalogue.value?.models.find((each) => each.name === name);
  const begun = pullOf(name) !== null || (entry?.partial_bytes ?? 0) > 0;
  if (entry?.licence?.acceptance && !begun) {
    const agreed = await confirm({
      title: t("models.licence.title", { name: entry.licence.name }),
      body: `${entry.licence.acceptance} ${entry.licence.url}`,
      action: t("models.licence.agree"),
    });
    if (!agreed) return false;
  }
  return tried(() =>
    withPulls(
      () => startPull(name),
      () => true,
    ),
  );
}

export const pause = (name: string) => tried(() => pausePull(name));

export async function dropPull(name: string) {
  const part = pullOf(name)?.bytes_done ?? 0;
  const agreed = await confirm({
    title: t("models.cancel.title", { name }),
    body: t("models.cancel.body", { size: formatBytes(part) }),
    action: t("models.cancel.action"),
    danger: true,
  });
  if (agreed) await tried(() => cancelPull(name));
}

export async function load(name: string): Promise<boolean> {
  loading.value = new Set([...loading.value, name]);
  const loaded = await tried(() => loadModel(name));
  loading.value = new Set([...loading.value].filter((each) => each !== name));
  if (loaded) announcement.value = t("models.isLoaded", { name });
  return loaded;
}

export const unload = (name: string) => tried(() => unloadModel(name));

export async function remove({ name, bytes }: CatalogueModel) {
  const agreed = await confirm({
    title: t("models.delete", { name }),
    body: t("models.delete.body", { size: formatBytes(bytes) }),
    action: t("action.delete"),
    danger: true,
  });
  if (agreed) await tried(() => deleteModel(name));
}

async function tried(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    notifyError(error);
    return false;
  } finally {
    await Promise.all([refreshCatalogue(), refreshServer()]).catch(() => {});
  }
}
