// A folder in the sidebar: opens and closes, and holds its conversations.

import { signal } from "@preact/signals";
import { createFolder, deleteFolder, renameFolder } from "../../api/routes.ts";
import type { Folder } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";
import { newChat } from "../../state/chat.ts";
import { conversations } from "../../state/conversations.ts";
import { refreshFolders } from "../../state/library.ts";
import { confirm, notifyError } from "../../state/notices.ts";
import { drawerOpen } from "../../state/overlays.ts";
import { recall, remember } from "../../state/storage.ts";
import { askFolderName } from "../conversationMenu.ts";
import { IconButton } from "../IconButton.tsx";
import { ChevronRight, Dots, Folder as FolderIcon, FolderPlus, NewChat, Pencil, Trash } from "../icons.tsx";
import { Menu } from "../Menu.tsx";
import { ConversationRow } from "./ConversationRow.tsx";

const open = signal<ReadonlySet<number>>(new Set(JSON.parse(recall("ingle.folders") ?? "[]") as number[]));

function toggle(id: number) {
  const next = new Set(open.peek());
  if (!next.delete(id)) next.add(id);
  open.value = next;
  remember("ingle.folders", JSON.stringify([...next]));
}

export function FolderSection({ folder }: { folder: Folder }) {
  const expanded = open.value.has(folder.id);
  const inside = conversations.value
    .filter((each) => each.folder === folder.id && !each.pinned)
    .sort((a, b) => b.updated - a.updated);
  return (
    <div class="folder">
      <div class="row">
        <button type="button" class="row-link" aria-expanded={expanded} onClick={() => toggle(folder.id)}>
          <span class={`folder-chevron ${expanded ? "folder-open" : ""}`}>
            <ChevronRight size={16} />
          </span>
          <FolderIcon size={16} />
          <span class="row-title">{folder.name}</span>
          <span class="row-count">{inside.length}</span>
        </button>
        <Menu label={t("folders.menu", { name: folder.name })} class="icon-button row-menu" items={itemsOf(folder)}>
          <Dots size={18} />
        </Menu>
      </div>
      {expanded && (
        <ul class="folder-rows">
          {inside.map((summary) => (
            <ConversationRow key={summary.id} summary={summary} />
          ))}
          {!inside.length && <li class="sidebar-empty">{t("folders.empty")}</li>}
        </ul>
      )}
    </div>
  );
}

function itemsOf(folder: Folder) {
  return [
    {
      label: t("folders.chat"),
      icon: NewChat,
      run: () => {
        newChat({ folder: folder.id });
        drawerOpen.value = false;
      },
    },
    { label: t("action.rename"), icon: Pencil, run: () => void rename(folder) },
    "line" as const,
    { label: t("action.delete"), icon: Trash, danger: true, run: () => void drop(folder) },
  ];
}

export function AddFolder() {
  return <IconButton icon={FolderPlus} size={17} label={t("folders.new")} onClick={() => void add()} />;
}

async function add() {
  const name = await askFolderName();
  if (name !== null) await changing(createFolder(name));
}

async function rename(folder: Folder) {
  const name = await askFolderName(folder.name);
  if (name !== null && name !== folder.name) await changing(renameFolder(folder.id, name));
}

async function drop(folder: Folder) {
  const agreed = await confirm({
    title: t("folders.delete.title", { name: folder.name }),
    body: t("folders.delete.body"),
    action: t("action.delete"),
    danger: true,
  });
  if (agreed) await changing(deleteFolder(folder.id));
}

async function changing(work: Promise<unknown>) {
  try {
    await work;
    await refreshFolders();
  } catch (error) {
    notifyError(error);
  }
}
