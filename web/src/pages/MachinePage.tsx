// The first page: the model for this machine and the way to a chat with it; below, what was found and what was chosen.
// Later it is reached from the settings.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import type { Hardware } from "../api/types.ts";
import { OpenSidebar } from "../components/chat/ChatHeader.tsx";
import { Mark } from "../components/icons.tsx";
import { ModelFacts } from "../components/models/ModelFacts.tsx";
import { PullRow } from "../components/models/PullRow.tsx";
import { visit } from "../components/sidebar/Sidebar.tsx";
import { formatBytes, formatNumber, t } from "../i18n/index.ts";
import { defaultModel } from "../state/library.ts";
import { beginningWith, hardware, markWelcomed, refreshHardware } from "../state/machine.ts";
import { catalogue, load, loading, modelsChanged, pull, pullOf } from "../state/models.ts";
import { notifyError } from "../state/notices.ts";
import { go } from "../state/route.ts";
import { useCatalogue } from "./ModelsPage.tsx";

export function MachinePage() {
  useCatalogue();
  useEffect(() => {
    refreshHardware().catch((error) => {
      if (!(error instanceof ApiError && error.unreachable)) notifyError(error);
    });
  }, [modelsChanged.value]);
  useEffect(() => markWelcomed, []);
  return (
    <>
      <header class="page-header">
        <OpenSidebar />
        <h1 class="page-title">{t("machine.title")}</h1>
      </header>
      <div class="page-scroll">
        <div class="page-content">
          <div class="machine-welcome">
            <Mark size={52} />
            <h2>{t("machine.welcome")}</h2>
            <p>{t("machine.welcome.body")}</p>
          </div>
          <Beginning />
          {hardware.value && <Found found={hardware.value} />}
          {hardware.value && <Chosen found={hardware.value} />}
        </div>
      </div>
    </>
  );
}

/** The model that suits the machine, or one that is here already. */
function modelToBeginWith() {
  const known = catalogue.value;
  if (!known) return null;
  const wanted = beginningWith.value ?? known.recommended;
  const suits = known.models.find((each) => each.name === wanted);
  const here = known.models.find((each) => each.stored && each.chat);
  return suits?.stored || !here || beginningWith.value ? (suits ?? here ?? null) : here;
}

function Beginning() {
  const known = catalogue.value;
  const model = modelToBeginWith();
  const pulling = model && !model.stored ? pullOf(model.name) : null;
  const stored = model?.stored ?? false;
  useEffect(() => {
    const name = beginningWith.peek();
    if (!name || name !== model?.name || !stored || defaultModel.peek()) return;
    void load(name).then((loaded) => {
      beginningWith.value = null;
      if (loaded) begin();
    });
  }, [model?.name, stored, beginningWith.value]);
  if (!known) return <p class="hint">{t("loading")}</p>;
  if (defaultModel.value) {
    return (
      <section class="card machine-begin">
        <p>{t("machine.ready", { name: defaultModel.value })}</p>
        <Choices>
          <button type="button" class="button button-primary" onClick={begin}>
            {t("machine.begin")}
          </button>
        </Choices>
      </section>
    );
  }
  if (!model || (!model.stored && known.offline)) {
    return (
      <section class="card machine-begin">
        <p>{t("machine.noModel")}</p>
        {known.offline && <p class="hint">{t("models.offline", { why: known.offline })}</p>}
      </section>
    );
  }
  const busy = loading.value.has(model.name);
  return (
    <section class="card machine-begin">
      <h2>{t("machine.model")}</h2>
      <h3>{model.name}</h3>
      <p class="model-about">{model.description}</p>
      <p class="hint">
        {[formatBytes(model.bytes), model.licence ? t("models.licence", { name: model.licence.name }) : ""]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <ModelFacts model={model} free={known.free_bytes} />
      {pulling && <PullRow of={pulling} />}
      <Choices>
        {(!pulling || busy) && (
          <button
            type="button"
            class="button button-primary"
            disabled={busy || !known.engine}
            onClick={() => void beginWith(model.name, model.stored)}
          >
            {busy && <span class="spinner" />}
            {t(busy ? "machine.loading" : model.stored ? "machine.load" : "machine.fetch", { name: model.name })}
          </button>
        )}
      </Choices>
    </section>
  );
}

function Choices({ children }: { children: ComponentChildren }) {
  return (
    <div class="machine-choices">
      {children}
      <a class="button" href="#/models" onClick={visit({ page: "models" })}>
        {t("machine.other")}
      </a>
    </div>
  );
}

async function beginWith(name: string, stored: boolean) {
  if (!stored && !(await pull(name))) return;
  beginningWith.value = name; // it is loaded when it is here
}

function begin() {
  markWelcomed();
  go({ page: "chat", conversation: null });
}

function Found({ found: { machine, accelerators, confined, confinement, bytes_per_second, measuring } }: FoundProps) {
  const used = machine.instruction_sets.find((each) => each.chosen);
  const slower = machine.cores.filter((each) => each.speed < 1);
  const cores = [
    t("machine.cores.used", { n: machine.default_threads }),
    machine.allowed_cpu_time === null
      ? t("machine.cores.each")
      : t("machine.cores.time", { n: formatNumber(machine.allowed_cpu_time, undefined, 1) }),
    ...slower.map(({ count, speed }) => t("machine.cores.of", { n: count, speed: Math.round(100 * speed) })),
  ];
  const enforced = confinement.filter((each) => each.enforced).length;
  const names = accelerators.map((each) => each.driver ?? "?").join(", ");
  return (
    <section>
      <h2>{t("machine.detected")}</h2>
      <dl class="card facts">
        <Fact name={t("machine.processor")}>{machine.processor || "?"}</Fact>
        <Fact name={t("machine.cores")}>{cores.join("; ")}</Fact>
        <Fact name={t("machine.isa")}>{used?.name ?? "?"}</Fact>
        <Fact name={t("machine.memory")}>
          {t("machine.memory.free", {
            size: formatBytes(machine.memory_bytes),
            free: formatBytes(machine.free_memory_bytes),
          })}
        </Fact>
        {(bytes_per_second !== null || measuring) && (
          <Fact name={t("machine.bandwidth")}>
            {bytes_per_second === null
              ? t("models.measuring")
              : t("machine.perSecond", { size: formatBytes(bytes_per_second) })}
          </Fact>
        )}
        <Fact name={t("machine.accelerators")}>
          {names ? t("machine.accelerators.unused", { names }) : t("machine.accelerators.none")}
        </Fact>
        <Fact name={t("machine.sandbox")}>
          {confined
            ? [
                t("machine.sandbox.on", { n: enforced }),
                ...(enforced < confinement.length
                  ? [t("machine.sandbox.missing", { n: confinement.length - enforced })]
                  : []),
              ].join("; ")
            : t("machine.sandbox.off")}
        </Fact>
      </dl>
    </section>
  );
}

interface FoundProps {
  found: Hardware;
}

function Chosen({ found: { profile, modules, recommended, store_folder, data_folder } }: FoundProps) {
  return (
    <section>
      <h2>{t("machine.chosen")}</h2>
      <dl class="card facts">
        <Fact name={t("machine.profile")}>{`${profile.name} – ${profile.reason}`}</Fact>
        {recommended && <Fact name={t("machine.model.default")}>{`${recommended.model} – ${recommended.why}`}</Fact>}
        <Fact name={t("machine.modules")}>
          <ul class="modules">
            {modules.map((each) => (
              <li key={each.name}>
                <span class={each.on ? "badge badge-warm" : "badge"}>{t(each.on ? "machine.on" : "machine.off")}</span>
                <span>
                  {each.title} <span class="soft">({each.why})</span>
                  <small>{each.means}</small>
                </span>
              </li>
            ))}
          </ul>
        </Fact>
        <Fact name={t("machine.data")}>
          <code>{data_folder}</code>
        </Fact>
        {store_folder !== data_folder && (
          <Fact name={t("machine.store")}>
            <code>{store_folder}</code>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
