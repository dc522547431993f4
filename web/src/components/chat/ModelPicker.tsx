// Which model answers.

import { t } from "../../i18n/index.ts";
import { changeSetup, setup } from "../../state/chat.ts";
import { defaultModel, server } from "../../state/library.ts";
import { go } from "../../state/route.ts";
import { ChevronDown, Cube } from "../icons.tsx";
import { Menu, type MenuItem } from "../Menu.tsx";

export function ModelPicker() {
  const chosen = setup.value.model ?? defaultModel.value;
  const shown = chosen ?? (server.value ? t("models.none") : "…");
  const models = server.value?.models ?? [];
  const items: (MenuItem | "line")[] = models.map((model) => ({
    label: model.name,
    checked: model.name === chosen,
    ...(model.loaded ? { note: t("models.loaded") } : {}),
    run: () => void changeSetup({ model: model.name === defaultModel.peek() ? null : model.name }),
  }));
  if (items.length) items.push("line");
  items.push({ label: t("models.manage"), icon: Cube, run: () => go({ page: "models" }) });
  return (
    <Menu class="model-picker" label={`${t("models.choose")}: ${shown}`} items={items}>
      <span class="model-name">{shown}</span>
      {server.value && !server.value.ready && chosen && <span class="spinner" />}
      <ChevronDown size={16} />
    </Menu>
  );
}
