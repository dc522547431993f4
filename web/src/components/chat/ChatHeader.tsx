// Above a chat: its title, the model, and what else can be set.

import { t } from "../../i18n/index.ts";
import { newChat, planTemporary, setup } from "../../state/chat.ts";
import { change, summaries, titleOf } from "../../state/conversations.ts";
import { drawerOpen, overlay } from "../../state/overlays.ts";
import { inspected, route } from "../../state/route.ts";
import { sidebarOpen } from "../../state/settings.ts";
import { ask } from "../../state/notices.ts";
import { conversationMenu } from "../conversationMenu.ts";
import { IconButton } from "../IconButton.tsx";
import { Dots, Ghost, Menu as MenuIcon, NewChat, Pulse, Sidebar, Sliders } from "../icons.tsx";
import { docked } from "../media.ts";
import { Menu } from "../Menu.tsx";
import { keysOf, toggleInspector } from "../shortcuts.ts";
import { ModelPicker } from "./ModelPicker.tsx";

export function ChatHeader() {
  const id = route.value.page === "chat" ? route.value.conversation : null;
  const summary = id === null ? undefined : summaries.value.get(id);
  const { temporary } = setup.value;
  return (
    <header class="page-header">
      <OpenSidebar />
      <ModelPicker />
      <h1 class="page-title" title={summary && titleOf(summary)}>
        {summary ? titleOf(summary) : id === null ? (temporary ? t("chat.temporary") : t("chat.new")) : ""}
      </h1>
      {temporary && summary && (
        <span class="badge" title={t("composer.temporary")}>
          <Ghost size={15} /> {t("chat.temporary")}
        </span>
      )}
      <span class="page-header-space" />
      {id === null && (
        <IconButton
          icon={Ghost}
          class={temporary ? "pressed" : ""}
          label={temporary ? t("chat.temporary.off") : t("chat.temporary.on")}
          aria-pressed={temporary}
          onClick={() => planTemporary(!temporary)}
        />
      )}
      <IconButton
        icon={Pulse}
        class={`inspector-button ${inspected.value === null ? "" : "pressed"}`}
        label={`${t("inspector.title")} (${keysOf("inspector")})`}
        aria-pressed={inspected.value !== null}
        onClick={toggleInspector}
      />
      <IconButton icon={Sliders} label={t("setup.title")} onClick={() => (overlay.value = "setup")} />
      {summary && (
        <Menu
          label={t("conversation.menu", { title: titleOf(summary) })}
          items={conversationMenu(summary, () => void rename(summary.id, summary.title))}
        >
          <Dots />
        </Menu>
      )}
    </header>
  );
}

async function rename(id: number, title: string) {
  const next = await ask({
    title: t("conversation.rename"),
    body: "",
    action: t("action.save"),
    input: { label: t("conversation.title"), value: title },
  });
  if (next !== null && next !== title) void change(id, { title: next });
}

/** Where the sidebar is not seen, the way to it, and to a new chat. */
export function OpenSidebar() {
  if (docked.value && sidebarOpen.value) return null;
  const open = () => (docked.value ? (sidebarOpen.value = true) : (drawerOpen.value = true));
  return (
    <>
      <IconButton
        icon={docked.value ? Sidebar : MenuIcon}
        label={`${t("sidebar.open")} (${keysOf("sidebar")})`}
        onClick={open}
      />
      <IconButton icon={NewChat} label={`${t("chat.new")} (${keysOf("new")})`} onClick={() => newChat()} />
    </>
  );
}
