// The models on this machine and those of the catalogue: what each would take and how fast it would be; fetch, load,
// unload, delete.

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { OpenSidebar } from "../components/chat/ChatHeader.tsx";
import { Download } from "../components/icons.tsx";
import { ModelCard } from "../components/models/ModelCard.tsx";
import { PullRow } from "../components/models/PullRow.tsx";
import { formatBytes, formatNumber, t } from "../i18n/index.ts";
import { catalogue, context, modelsChanged, pull, pulls, refreshCatalogue } from "../state/models.ts";
import { notifyError } from "../state/notices.ts";

const CONTEXTS = [2048, 4096, 8192, 16384, 32768];

/** Keeps the catalogue in step with the server as long as a page shows it. */
export function useCatalogue() {
  useEffect(() => {
    refreshCatalogue().catch((error) => {
      if (!(error instanceof ApiError && error.unreachable)) notifyError(error);
    });
  }, [modelsChanged.value, context.value]);
}

export function ModelsPage() {
  useCatalogue();
  const known = catalogue.value;
  const shown = new Set(known?.models.map((each) => each.name));
  const stored = known?.models.filter((each) => each.stored) ?? [];
  const others = known?.models.filter((each) => !each.stored) ?? [];
  return (
    <>
      <header class="page-header">
        <OpenSidebar />
        <h1 class="page-title">{t("models.title")}</h1>
      </header>
      <div class="page-scroll">
        <div class="page-content">
          {!known ? (
            <p class="hint">{t("loading")}</p>
          ) : (
            <>
              <Machine />
              {pulls.value
                .filter((each) => !shown.has(each.model))
                .map((each) => (
                  <div class="card" key={each.model}>
                    <PullRow of={each} named />
                  </div>
                ))}
              <section aria-label={t("models.stored")}>
                <h2>{t("models.stored")}</h2>
                {stored.length ? (
                  <ul class="model-list">
                    {stored.map((model) => (
                      <ModelCard key={model.name} model={model} />
                    ))}
                  </ul>
                ) : (
                  <p class="hint">{t("models.empty")}</p>
                )}
              </section>
              {others.length > 0 && (
                <section aria-label={t("models.catalogue")}>
                  <h2>{t("models.catalogue")}</h2>
                  <ul class="model-list">
                    {others.map((model) => (
                      <ModelCard key={model.name} model={model} />
                    ))}
                  </ul>
                </section>
              )}
              <Fetch />
            </>
          )}
        </div>
      </div>
    </>
  );
}

function Machine() {
  const { free_bytes, disk_free_bytes, offline, measuring } = catalogue.value!;
  return (
    <section class="card machine-line">
      <label class="field-inline">
        <span>{t("models.for")}</span>
        <select
          value={context.value ?? ""}
          onChange={(event) => (context.value = Number(event.currentTarget.value) || null)}
        >
          <option value="">{t("models.for.server")}</option>
          {CONTEXTS.map((each) => (
            <option key={each} value={each}>
              {t("models.for.tokens", { n: formatNumber(each) })}
            </option>
          ))}
        </select>
      </label>
      <p class="hint">
        {[
          t("models.free", { size: formatBytes(free_bytes) }),
          disk_free_bytes === null ? "" : t("models.disk", { size: formatBytes(disk_free_bytes) }),
          measuring ? t("models.measuring") : "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {offline && <p class="hint">{t("models.offline", { why: offline })}</p>}
    </section>
  );
}

function Fetch() {
  const [name, setName] = useState("");
  const offline = !!catalogue.value?.offline;
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = name.trim();
        if (wanted) void pull(wanted).then((begun) => begun && setName(""));
      }}
    >
      <h2>{t("models.fetch")}</h2>
      <p class="hint">{t("models.fetch.help")}</p>
      <div class="field-row">
        <input
          type="text"
          aria-label={t("models.name")}
          placeholder="hf:owner/repository/model.gguf"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          disabled={offline}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="button button-primary" disabled={offline || !name.trim()}>
          <Download size={18} /> {t("models.fetch.action")}
        </button>
      </div>
    </form>
  );
}
