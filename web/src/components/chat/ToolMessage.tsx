// What a tool gave to the model.

import type { Signal } from "@preact/signals";
import type { Message } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";

export function ToolMessage({ message }: { message: Signal<Message> }) {
  return (
    <details class="tool">
      <summary>{t("message.tool")}</summary>
      <pre>{message.value.content}</pre>
    </details>
  );
}
