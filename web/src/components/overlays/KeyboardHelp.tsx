// Ctrl+/: what the keyboard can do.

import { t } from "../../i18n/index.ts";
import { overlay } from "../../state/overlays.ts";
import { Dialog } from "../Dialog.tsx";
import { keysOf, shortcuts } from "../shortcuts.ts";

export function KeyboardHelp() {
  const rows: [string, string][] = [
    ...shortcuts.map((each): [string, string] => [keysOf(each.id), t(each.help)]),
    ["Enter", t("keys.send")],
    ["Shift+Enter", t("keys.newline")],
    ["Esc", t("keys.escape")],
  ];
  return (
    <Dialog title={t("keys.title")} onClose={() => (overlay.value = null)}>
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>{what}</dt>
            <dd>
              {keys.split(/(?<=.)\+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
