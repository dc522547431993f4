// What the search overlay offers beside what it finds: one record each.

import type { FunctionComponent } from "preact";
import { t } from "../../i18n/index.ts";
import { newChat } from "../../state/chat.ts";
import { overlay } from "../../state/overlays.ts";
import { go } from "../../state/route.ts";
import { language, setLanguage, theme } from "../../state/settings.ts";
import { Cube, Ghost, Keyboard, NewChat, Pulse, Settings, Sidebar, Sliders, Spark } from "../icons.tsx";
import { keysOf, toggleInspector, toggleSidebar } from "../shortcuts.ts";

export interface Action {
  id: string;
  label: string;
  icon: FunctionComponent<{ size?: number }>;
  keys?: string;
  run: () => void;
}

function all(): Action[] {
  const dark =
    theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  return [
    { id: "new", label: t("chat.new"), icon: NewChat, keys: keysOf("new"), run: () => newChat() },
    { id: "temporary", label: t("chat.temporary.new"), icon: Ghost, run: () => newChat({ temporary: true }) },
    { id: "setup", label: t("setup.title"), icon: Sliders, run: () => (overlay.value = "setup") },
    { id: "models", label: t("models.title"), icon: Cube, run: () => go({ page: "models" }) },
    { id: "settings", label: t("settings.title"), icon: Settings, run: () => go({ page: "settings" }) },
    { id: "sidebar", label: t("keys.sidebar"), icon: Sidebar, keys: keysOf("sidebar"), run: toggleSidebar },
    {
      id: "inspector",
      label: t("inspector.title"),
      icon: Pulse,
      keys: keysOf("inspector"),
      run: toggleInspector,
    },
    {
      id: "theme",
      label: t(dark ? "theme.toLight" : "theme.toDark"),
      icon: Spark,
      run: () => (theme.value = dark ? "light" : "dark"),
    },
    {
      id: "language",
      label: language.value === "en" ? "切换到中文" : "Switch to English",
      icon: Spark,
      run: () => setLanguage(language.peek() === "en" ? "zh" : "en"),
    },
    { id: "keys", label: t("keys.title"), icon: Keyboard, keys: keysOf("keys"), run: () => (overlay.value = "keys") },
  ];
}

export function actionsFor(query: string): Action[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return all().filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}
