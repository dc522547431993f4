// What can be set for this browser, and what can be done with everything at once.

import { useRef } from "preact/hooks";
import { deleteAllConversations, type ExportFormat, getExport, importFile } from "../api/routes.ts";
import { OpenSidebar } from "../components/chat/ChatHeader.tsx";
import { Mark } from "../components/icons.tsx";
import { keysOf } from "../components/shortcuts.ts";
import { t } from "../i18n/index.ts";
import { dropSummary, refreshConversations, summaries } from "../state/conversations.ts";
import { save } from "../state/files.ts";
import { server } from "../state/library.ts";
import { confirm, notify, notifyError } from "../state/notices.ts";
import { overlay } from "../state/overlays.ts";
import { go } from "../state/route.ts";
import { signOut } from "../state/session.ts";
import { language, type Language, setLanguage, type Theme, theme } from "../state/settings.ts";
import { RetentionChoice } from "./RetentionChoice.tsx";
import { SettingRow as Row } from "./SettingRow.tsx";

export function SettingsPage() {
  return (
    <>
      <header class="page-header">
        <OpenSidebar />
        <h1 class="page-title">{t("settings.title")}</h1>
      </header>
      <div class="page-scroll">
        <div class="page-content">
          <section>
            <h2>{t("settings.look")}</h2>
            <div class="card rows">
              <ThemeChoice />
              <LanguageChoice />
              <Row name={t("keys.title")} help={t("settings.keys.help")}>
                <button type="button" class="button" onClick={() => (overlay.value = "keys")}>
                  {t("settings.show")} <kbd>{keysOf("keys")}</kbd>
                </button>
              </Row>
            </div>
          </section>
          <Data />
          <section>
            <h2>{t("machine.title")}</h2>
            <div class="card rows">
              <Row name={t("machine.title")} help={t("settings.machine.help")}>
                <button type="button" class="button" onClick={() => go({ page: "machine" })}>
                  {t("settings.show")}
                </button>
              </Row>
            </div>
          </section>
          <section>
            <h2>{t("settings.session")}</h2>
            <div class="card rows">
              <Row name={t("settings.signOut")} help={t("settings.signOut.help")}>
                <button type="button" class="button" onClick={() => void signOut().catch(notifyError)}>
                  {t("settings.signOut")}
                </button>
              </Row>
            </div>
          </section>
          <About />
        </div>
      </div>
    </>
  );
}

function ThemeChoice() {
  return (
    <Row name={t("theme.title")}>
      <fieldset class="segments">
        <legend class="only-heard">{t("theme.title")}</legend>
        {(["system", "light", "dark"] as Theme[]).map((value) => (
          <label key={value}>
            <input type="radio" name="theme" checked={theme.value === value} onChange={() => (theme.value = value)} />
            <span>{t(`theme.${value}`)}</span>
          </label>
        ))}
      </fieldset>
    </Row>
  );
}

function LanguageChoice() {
  const names: [Language, string][] = [
    ["en", "English"],
    ["zh", "中文"],
  ];
  return (
    <Row name={t("settings.language")}>
      <fieldset class="segments">
        <legend class="only-heard">{t("settings.language")}</legend>
        {names.map(([value, name]) => (
          <label key={value}>
            <input
              type="radio"
              name="language"
              checked={language.value === value}
              onChange={() => setLanguage(value)}
            />
            <span lang={value === "zh" ? "zh-Hans" : value}>{name}</span>
          </label>
        ))}
      </fieldset>
    </Row>
  );
}

function Data() {
  return (
    <section>
      <h2>{t("settings.data")}</h2>
      <div class="card rows">
        <Row name={t("export.title")} help={t("export.help")}>
          <button type="button" class="button" onClick={() => void exportAll("json")}>
            JSON
          </button>
          <button type="button" class="button" onClick={() => void exportAll("markdown")}>
            Markdown
          </button>
        </Row>
        <Import />
        <RetentionChoice />
        <Row name={t("settings.deleteAll")} help={t("settings.deleteAll.help")}>
          <button type="button" class="button button-danger" onClick={() => void deleteAll()}>
            {t("settings.deleteAll.action")}
          </button>
        </Row>
      </div>
    </section>
  );
}

function Import() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <Row name={t("import.title")} help={t("import.help")}>
      <button type="button" class="button" onClick={() => input.current!.click()}>
        {t("import.action")}
      </button>
      <input
        ref={input}
        type="file"
        accept=".json,.md,.markdown,.txt,application/json"
        hidden
        aria-label={t("import.title")}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) void take(file);
          event.currentTarget.value = "";
        }}
      />
    </Row>
  );
}

function About() {
  return (
    <section>
      <h2>{t("settings.about")}</h2>
      <div class="card about">
        <Mark size={40} />
        <div>
          <strong>Ingle {server.value?.version ?? ""}</strong>
          <p class="hint">{t("settings.about.body")}</p>
        </div>
      </div>
    </section>
  );
}

async function exportAll(format: ExportFormat) {
  try {
    const day = new Date().toISOString().slice(0, 10);
    save(await getExport(format), `ingle-${day}.${format === "json" ? "json" : "md"}`);
  } catch (error) {
    notifyError(error);
  }
}

async function take(file: File) {
  try {
    const { imported, skipped, warnings } = await importFile(file.name, await file.text());
    notify([t("import.done", { n: imported }), skipped ? t("import.skipped", { n: skipped }) : ""].join(" ").trim());
    for (const warning of warnings.slice(0, 3)) notify(warning, { kind: "error" });
    await refreshConversations();
  } catch (error) {
    notifyError(error);
  }
}

async function deleteAll() {
  const agreed = await confirm({
    title: t("settings.deleteAll"),
    body: t("settings.deleteAll.body", { n: summaries.value.size }),
    action: t("settings.deleteAll.action"),
    danger: true,
    typed: t("settings.deleteAll.word"),
  });
  if (!agreed) return;
  try {
    const { deleted } = await deleteAllConversations();
    for (const id of [...summaries.peek().keys()]) dropSummary(id);
    notify(t("settings.deleteAll.done", { n: deleted }));
  } catch (error) {
    notifyError(error);
  }
}
