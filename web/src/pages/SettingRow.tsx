// One line of the settings: what it is, what it means, and what changes it.

import type { ComponentChildren } from "preact";

export function SettingRow({ name, help, children }: { name: string; help?: string; children: ComponentChildren }) {
  return (
    <div class="setting">
      <div class="setting-text">
        <span class="setting-name">{name}</span>
        {help && <p class="hint">{help}</p>}
      </div>
      <div class="setting-control">{children}</div>
    </div>
  );
}
