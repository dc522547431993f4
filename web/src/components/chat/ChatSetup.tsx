// How the model is to behave in this chat: the system prompt, sampling, and presets of both.

import { useState } from "preact/hooks";
import { createPreset, deletePreset } from "../../api/routes.ts";
import type { Parameters, Preset } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";
import { changeSetup, setup } from "../../state/chat.ts";
import { presets, refreshPresets } from "../../state/library.ts";
import { ask, confirm, notify, notifyError } from "../../state/notices.ts";
import { overlay } from "../../state/overlays.ts";
import { Dialog } from "../Dialog.tsx";
import { IconButton } from "../IconButton.tsx";
import { Trash } from "../icons.tsx";

type NumberName = Exclude<keyof Parameters, "thinking">;
const NUMBERS: { name: NumberName; min: number; max: number; step: number }[] = [
  { name: "temperature", min: 0, max: 2, step: 0.05 },
  { name: "top_p", min: 0, max: 1, step: 0.01 },
  { name: "top_k", min: 0, max: 1000, step: 1 },
  { name: "min_p", min: 0, max: 1, step: 0.01 },
  { name: "repeat_penalty", min: 0.5, max: 2, step: 0.01 },
  { name: "max_tokens", min: 1, max: 1_000_000, step: 1 },
  { name: "seed", min: 0, max: 4_294_967_295, step: 1 },
];

export function ChatSetup() {
  const { system, parameters } = setup.value;
  const [prompt, setPrompt] = useState(system);
  const keepPrompt = () => {
    if (prompt !== setup.peek().system) void changeSetup({ system: prompt });
  };
  const change = (changes: Partial<Record<keyof Parameters, number | boolean | undefined>>) => {
    const next = Object.entries({ ...setup.peek().parameters, ...changes }).filter(([, value]) => value !== undefined);
    void changeSetup({ parameters: Object.fromEntries(next) as Parameters });
  };
  const apply = (preset: Preset) => {
    setPrompt(preset.system);
    void changeSetup({ system: preset.system, parameters: preset.parameters });
    notify(t("presets.applied", { name: preset.name }));
  };
  return (
    <Dialog
      kind="sheet"
      title={t("setup.title")}
      onClose={() => {
        keepPrompt();
        overlay.value = null;
      }}
    >
      <div class="setup">
        <label class="field">
          <span>{t("setup.system")}</span>
          <textarea
            rows={6}
            dir="auto"
            placeholder={t("setup.system.placeholder")}
            value={prompt}
            onInput={(event) => setPrompt(event.currentTarget.value)}
            onBlur={keepPrompt}
          />
        </label>
        <fieldset class="field segments">
          <legend>{t("setup.thinking")}</legend>
          {([undefined, true, false] as const).map((value) => (
            <label key={String(value)}>
              <input
                type="radio"
                name="thinking"
                checked={parameters.thinking === value}
                onChange={() => change({ thinking: value })}
              />
              <span>{t(value === undefined ? "setup.default" : value ? "setup.on" : "setup.off")}</span>
            </label>
          ))}
        </fieldset>
        <div class="setup-numbers">
          {NUMBERS.map((each) => (
            <NumberField
              key={each.name}
              {...each}
              value={parameters[each.name]}
              change={(value) => change({ [each.name]: value })}
            />
          ))}
        </div>
        <PresetList apply={apply} system={prompt} parameters={parameters} />
      </div>
    </Dialog>
  );
}

interface NumberProps {
  name: NumberName;
  min: number;
  max: number;
  step: number;
  value: number | undefined;
  change: (value: number | undefined) => void;
}

function NumberField({ name, min, max, step, value, change }: NumberProps) {
  const [wrong, setWrong] = useState(false);
  // What is being typed is the field's own: what comes from the server meanwhile does not take it away.
  const [typed, setTyped] = useState<string | null>(null);
  const keep = (input: HTMLInputElement) => {
    const given = input.value.trim() === "" ? undefined : Number(input.value);
    const bad = input.validity.badInput || (given !== undefined && (!(given >= min) || given > max));
    setWrong(bad);
    if (bad) return;
    setTyped(null);
    if (given !== value) change(given);
  };
  return (
    <label class="field">
      <span>{t(`setup.${name}`)}</span>
      <input
        type="number"
        inputMode="decimal"
        min={min}
        max={max}
        step={step}
        placeholder={t("setup.default")}
        value={typed ?? value ?? ""}
        aria-invalid={wrong}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={(event) => keep(event.currentTarget)}
      />
      <small>{wrong ? t("setup.range", { min, max }) : t(`setup.${name}.help`)}</small>
    </label>
  );
}

function PresetList({ apply, system, parameters }: { apply: (preset: Preset) => void } & Omit<Preset, "id" | "name">) {
  return (
    <section class="presets">
      <div class="presets-header">
        <h3>{t("presets.title")}</h3>
        <button type="button" class="button button-small" onClick={() => void savePreset(system, parameters)}>
          {t("presets.save")}
        </button>
      </div>
      {presets.value.length === 0 && <p class="hint">{t("presets.none")}</p>}
      <ul>
        {presets.value.map((preset) => (
          <li key={preset.id} class="preset">
            <button type="button" class="preset-apply" title={t("presets.apply")} onClick={() => apply(preset)}>
              <span>{preset.name}</span>
              <small>{preset.system || t("presets.noPrompt")}</small>
            </button>
            <IconButton
              icon={Trash}
              size={17}
              label={t("presets.delete", { name: preset.name })}
              onClick={() => void dropPreset(preset)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

async function savePreset(system: string, parameters: Parameters) {
  const name = await ask({
    title: t("presets.save"),
    body: "",
    action: t("action.save"),
    input: { label: t("presets.name"), value: "" },
  });
  if (name === null) return;
  try {
    await createPreset({ name, system, parameters });
    await refreshPresets();
  } catch (error) {
    notifyError(error);
  }
}

async function dropPreset({ id, name }: Preset) {
  const agreed = await confirm({
    title: t("presets.delete", { name }),
    body: t("presets.delete.body"),
    action: t("action.delete"),
    danger: true,
  });
  if (!agreed) return;
  try {
    await deletePreset(id);
    await refreshPresets();
  } catch (error) {
    notifyError(error);
  }
}
