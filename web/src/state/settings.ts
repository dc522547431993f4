// What a person has chosen for this browser. Shown at once, remembered until changed. public/theme.js reads the theme
// before anything is drawn.

import { effect, signal } from "@preact/signals";
import { recall, remember } from "./storage.ts";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "zh";

export const theme = signal<Theme>(oneOf(["system", "light", "dark"], recall("ingle.theme"), "system"));
export const language = signal<Language>(oneOf(["en", "zh"], recall("ingle.language"), preferredLanguage()));
export const sidebarOpen = signal(recall("ingle.sidebar") !== "closed");

export function applySettings() {
  effect(() => {
    const root = document.documentElement;
    if (theme.value === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme.value;
    remember("ingle.theme", theme.value === "system" ? null : theme.value);
  });
  effect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
  });
  effect(() => remember("ingle.sidebar", sidebarOpen.value ? null : "closed"));
}

export function setLanguage(value: Language) {
  language.value = value;
  remember("ingle.language", value);
}

function preferredLanguage(): Language {
  return globalThis.navigator?.language?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function oneOf<T extends string>(values: readonly T[], given: string | null, otherwise: T): T {
  return values.find((value) => value === given) ?? otherwise;
}
