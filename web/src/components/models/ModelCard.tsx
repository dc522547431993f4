// A model: what it is, what it takes, and what can be done with it.

import type { CatalogueModel } from "../../api/types.ts";
import { formatBytes, shortNumber, t } from "../../i18n/index.ts";
import { catalogue, load, loading, pull, pullOf, remove, unload } from "../../state/models.ts";
import { IconButton } from "../IconButton.tsx";
import { Download, Trash } from "../icons.tsx";
import { ModelFacts } from "./ModelFacts.tsx";
import { PullRow } from "./PullRow.tsx";

export function ModelCard({ model }: { model: CatalogueModel }) {
  const pulling = model.stored ? null : pullOf(model.name);
  const { free_bytes = 0, recommended } = catalogue.value ?? {};
  return (
    <li class="card model">
      <div class="model-head">
        <h3>{model.name}</h3>
        {model.loaded && <span class="badge badge-warm">{t("models.loaded")}</span>}
        {model.default && <span class="badge">{t("models.default")}</span>}
        {model.name === recommended && !model.default && <span class="badge">{t("models.recommended")}</span>}
        {model.fits === false && <span class="badge badge-danger">{t("models.doesNotFit")}</span>}
        {!pulling && <Actions model={model} />}
      </div>
      {model.description && <p class="model-about">{model.description}</p>}
      <p class="hint">{factsOf(model).join(" · ")}</p>
      {pulling && <PullRow of={pulling} />}
      <ModelFacts model={model} free={free_bytes} />
    </li>
  );
}

function factsOf(model: CatalogueModel): string[] {
  const facts = [formatBytes(model.bytes)];
  if (model.parameters) facts.push(t("models.parameters", { n: shortNumber(model.parameters) }));
  if (model.quantisation) facts.push(model.quantisation);
  if (model.loaded && model.context_length) facts.push(t("models.context", { n: model.context_length }));
  if (!model.chat) facts.push(t("models.base"));
  if (model.licence) facts.push(t("models.licence", { name: model.licence.name }));
  return facts;
}

function Actions({ model }: { model: CatalogueModel }) {
  const { name, stored, loaded, bytes, partial_bytes } = model;
  const busy = loading.value.has(name);
  if (!stored) {
    const offline = catalogue.value?.offline;
    return (
      <span class="model-actions">
        <button
          type="button"
          class="button button-small"
          aria-label={t(partial_bytes ? "models.resume.name" : "models.fetch.name", { name })}
          disabled={!!offline}
          onClick={() => void pull(name)}
        >
          <Download size={16} />
          {partial_bytes
            ? t("models.resume.part", { part: formatBytes(partial_bytes), size: formatBytes(bytes) })
            : t("models.fetch.action")}
        </button>
      </span>
    );
  }
  return (
    <span class="model-actions">
      {loaded ? (
        <button
          type="button"
          class="button button-small"
          aria-label={t("models.unload.name", { name })}
          onClick={() => void unload(name)}
        >
          {t("models.unload")}
        </button>
      ) : (
        <button
          type="button"
          class="button button-small"
          aria-label={t("models.load.name", { name })}
          disabled={busy || catalogue.value?.engine === false}
          onClick={() => void load(name)}
        >
          {busy && <span class="spinner" />}
          {t(busy ? "models.loading" : "models.load")}
        </button>
      )}
      <IconButton icon={Trash} label={t("models.delete", { name })} onClick={() => void remove(model)} />
    </span>
  );
}
