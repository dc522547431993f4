// What can be done to a conversation, in the sidebar's menus and the chat's own.

import { createFolder, getExport, type ExportFormat } from "../api/routes.ts";
import type { Summary } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { change, remove, titleOf } from "../state/conversations.ts";
import { folders, refreshFolders } from "../state/library.ts";
import { ask, notifyError } from "../state/notices.ts";
import { save } from "../state/files.ts";
import { Download, Folder, FolderPlus, Pencil, Pin, Trash } from "./icons.tsx";
import type { MenuItem } from "./Menu.tsx";

export function conversationMenu(summary: Summary, rename: () => void): (MenuItem | "line")[] {
  const { id, pinned, temporary } = summary;
  const items: (MenuItem | "line")[] = [
    { label: t("action.rename"), icon: Pencil, run: rename },
    {
      label: pinned ? t("conversation.unpin") : t("conversation.pin"),
      icon: Pin,
      run: () => void change(id, { pinned: !pinned }),
    },
    { label: t("export.markdown"), icon: Download, run: () => void exportConversation(summary, "markdown") },
    { label: t("export.json"), icon: Download, run: () => void exportConversation(summary, "json") },
  ];
  if (!temporary) items.push("line", ...folderItems(summary));
  items.push("line", { label: t("action.delete"), icon: Trash, danger: true, run: () => remove(id) });
  return items;
}

function folderItems({ id, folder }: Summary): MenuItem[] {
  const items: MenuItem[] = folders.value
    .filter((each) => each.id !== folder)
    .map((each) => ({
      label: t("folders.move", { name: each.name }),
      icon: Folder,
      run: () => void change(id, { folder: each.id }),
    }));
  if (folder !== null)
    items.push({ label: t("folders.leave"), icon: Folder, run: () => void change(id, { folder: null }) });
  items.push({ label: t("folders.moveNew"), icon: FolderPlus, run: () => void moveToNew(id) });
  return items;
}

async function moveToNew(id: number) {
  const name = await askFolderName();
  if (name === null) return;
  try {
    const folder = await createFolder(name);
    await refreshFolders();
    await change(id, { folder: folder.id });
  } catch (error) {
    notifyError(error);
  }
}

export function askFolderName(value = ""): Promise<string | null> {
  return ask({
    title: value ? t("folders.rename") : t("folders.new"),
    body: "",
    action: t("action.save"),
    input: { label: t("folders.name"), value },
  });
}

async function exportConversation(summary: Summary, format: ExportFormat) {
  try {
    save(await getExport(format, summary.id), `${titleOf(summary)}.${format === "json" ? "json" : "md"}`);
  } catch (error) {
    notifyError(error);
  }
}
