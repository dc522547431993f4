// The page: who is signed in sees the sidebar and one of the pages; overlays and notices lie above.

import { useEffect } from "preact/hooks";
import { ConnectionBanner } from "./components/ConnectionBanner.tsx";
import { docked, wide } from "./components/media.ts";
import { Notices } from "./components/Notices.tsx";
import { KeyboardHelp } from "./components/overlays/KeyboardHelp.tsx";
import { LinkDialog } from "./components/overlays/LinkDialog.tsx";
import { SearchOverlay } from "./components/overlays/SearchOverlay.tsx";
import { ChatSetup } from "./components/chat/ChatSetup.tsx";
import { QuestionDialog } from "./components/QuestionDialog.tsx";
import { InspectorFrame } from "./components/inspector/InspectorFrame.tsx";
import { Drawer } from "./components/sidebar/Drawer.tsx";
import { Sidebar } from "./components/sidebar/Sidebar.tsx";
import { t } from "./i18n/index.ts";
import { ChatPage } from "./pages/ChatPage.tsx";
import { MachinePage } from "./pages/MachinePage.tsx";
import { ModelsPage } from "./pages/ModelsPage.tsx";
import { SettingsPage } from "./pages/SettingsPage.tsx";
import { SignedOutPage } from "./pages/SignedOutPage.tsx";
import { summaries, titleOf } from "./state/conversations.ts";
import { overlay } from "./state/overlays.ts";
import { inspected, route } from "./state/route.ts";
import { session } from "./state/session.ts";
import { sidebarOpen } from "./state/settings.ts";

export function App() {
  useDocumentTitle();
  if (session.value !== "signed-in") {
    return (
      <>
        <SignedOutPage />
        <Notices />
      </>
    );
  }
  const { page } = route.value;
  return (
    <>
      <div class={`layout ${docked.value && sidebarOpen.value ? "layout-beside" : ""}`}>
        {docked.value ? sidebarOpen.value && <Sidebar /> : <Drawer />}
        <main class="page">
          <ConnectionBanner />
          {page === "chat" ? (
            <Chat />
          ) : page === "models" ? (
            <ModelsPage />
          ) : page === "machine" ? (
            <MachinePage />
          ) : (
            <SettingsPage />
          )}
        </main>
      </div>
      {overlay.value === "search" && <SearchOverlay />}
      {overlay.value === "keys" && <KeyboardHelp />}
      {overlay.value === "setup" && <ChatSetup />}
      <LinkDialog />
      <QuestionDialog />
      <Notices />
    </>
  );
}

/** With the inspector beside it; where there is no room for both, the inspector alone. */
function Chat() {
  const inspecting = inspected.value !== null;
  return (
    <div class="beside">
      {(wide.value || !inspecting) && <ChatPage />}
      {inspecting && <InspectorFrame />}
    </div>
  );
}

function useDocumentTitle() {
  const at = route.value;
  const title =
    session.value !== "signed-in"
      ? ""
      : at.page === "models"
        ? t("models.title")
        : at.page === "machine"
          ? t("machine.title")
          : at.page === "settings"
            ? t("settings.title")
            : at.conversation === null
              ? ""
              : titleOf(summaries.value.get(at.conversation));
  useEffect(() => {
    document.title = title ? `${title} – Ingle` : "Ingle";
  }, [title]);
}
