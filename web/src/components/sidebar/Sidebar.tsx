// The list of all conversations, and the ways to everything else. Beside the page, or a drawer where that is narrow.

import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { newChat } from "../../state/chat.ts";
import { conversations, listed } from "../../state/conversations.ts";
import { type Group, groupByDate } from "../../state/groups.ts";
import { folders } from "../../state/library.ts";
import { drawerOpen, overlay } from "../../state/overlays.ts";
import { go, route, type Route } from "../../state/route.ts";
import { sidebarOpen } from "../../state/settings.ts";
import { IconButton } from "../IconButton.tsx";
import { Cube, Mark, NewChat, Search, Settings, Sidebar as SidebarIcon } from "../icons.tsx";
import { docked } from "../media.ts";
import { keysOf } from "../shortcuts.ts";
import { ConversationRow } from "./ConversationRow.tsx";
import { AddFolder, FolderSection } from "./FolderSection.tsx";

const STEP = 120; // rows that are drawn at first, and further ones that come in sight

export function Sidebar() {
  const close = () => (docked.value ? (sidebarOpen.value = false) : (drawerOpen.value = false));
  return (
    <nav class="sidebar" aria-label={t("sidebar.label")}>
      <header class="sidebar-header">
        <a class="brand" href="#/" onClick={visit({ page: "chat", conversation: null })}>
          <Mark size={26} />
          <span>Ingle</span>
        </a>
        <IconButton icon={SidebarIcon} label={`${t("sidebar.close")} (${keysOf("sidebar")})`} onClick={close} />
      </header>
      <div class="sidebar-actions">
        <button
          type="button"
          class="sidebar-item"
          title={keysOf("new")}
          onClick={() => {
            newChat();
            drawerOpen.value = false;
          }}
        >
          <NewChat size={18} />
          <span>{t("chat.new")}</span>
        </button>
        <button type="button" class="sidebar-item" title={keysOf("search")} onClick={() => (overlay.value = "search")}>
          <Search size={18} />
          <span>{t("search.title")}</span>
          <kbd>{keysOf("search")}</kbd>
        </button>
      </div>
      <div class="sidebar-list">
        <Folders />
        <History />
      </div>
      <footer class="sidebar-footer">
        <PageLink to={{ page: "models" }} label={t("models.title")} icon={<Cube size={18} />} />
        <PageLink to={{ page: "settings" }} label={t("settings.title")} icon={<Settings size={18} />} />
      </footer>
    </nav>
  );
}

function Folders() {
  return (
    <section aria-label={t("folders.title")}>
      <div class="sidebar-heading">
        <h2>{t("folders.title")}</h2>
        <AddFolder />
      </div>
      {folders.value.map((folder) => (
        <FolderSection key={folder.id} folder={folder} />
      ))}
    </section>
  );
}

function History() {
  const [shown, setShown] = useState(STEP);
  const inFolders = new Set(folders.value.map((folder) => folder.id));
  const loose = conversations.value.filter(
    (each) => each.folder === null || each.pinned || !inFolders.has(each.folder),
  );
  const groups = groupByDate(loose, useToday());
  if (listed.value && !loose.length) return <p class="sidebar-empty">{t("sidebar.empty")}</p>;
  let left = shown;
  return (
    <>
      {groups.map((group) => {
        const rows = group.conversations.slice(0, Math.max(left, 0));
        left -= rows.length;
        return (
          rows.length > 0 && (
            <section key={`${group.name}${group.year ?? ""}`} aria-label={headingOf(group)}>
              <h2 class="sidebar-heading">{headingOf(group)}</h2>
              <ul>
                {rows.map((summary) => (
                  <ConversationRow key={summary.id} summary={summary} />
                ))}
              </ul>
            </section>
          )
        );
      })}
      {loose.length > shown && <WhenSeen key={shown} run={() => setShown(shown + STEP)} />}
    </>
  );
}

function headingOf(group: Group): string {
  return group.year === undefined ? t(`group.${group.name}`) : String(group.year);
}

function WhenSeen({ run }: { run: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && run());
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return <div ref={place} class="sidebar-more" />;
}

/** The time, anew after each midnight. */
function useToday(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const tomorrow = new Date(now);
    tomorrow.setHours(24, 0, 1, 0);
    const timer = setTimeout(() => setNow(Date.now()), tomorrow.getTime() - Date.now());
    return () => clearTimeout(timer);
  }, [now]);
  return now;
}

function PageLink({ to, label, icon }: { to: Route; label: string; icon: preact.JSX.Element }) {
  const current = route.value.page === to.page;
  return (
    <a class="sidebar-item" href={`#/${to.page}`} aria-current={current ? "page" : undefined} onClick={visit(to)}>
      {icon}
      <span>{label}</span>
    </a>
  );
}

/** Follows a link inside the page; with a modifier the browser does (another tab). */
export function visit(to: Route) {
  return (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(to);
    drawerOpen.value = false;
  };
}
