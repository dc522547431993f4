// One conversation in the sidebar, with its menu.

import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import type { Summary } from "../../api/types.ts";
import { change, titleOf } from "../../state/conversations.ts";
import { addressOf, chatAt, route } from "../../state/route.ts";
import { conversationMenu } from "../conversationMenu.ts";
import { Dots, Ghost, Pin } from "../icons.tsx";
import { Menu } from "../Menu.tsx";
import { visit } from "./Sidebar.tsx";

export function ConversationRow({ summary }: { summary: Summary }) {
  const [renaming, setRenaming] = useState(false);
  const to = chatAt(summary.id);
  const current = route.value.page === "chat" && route.value.conversation === summary.id;
  const title = titleOf(summary);
  return (
    <li class={`row ${current ? "row-current" : ""}`}>
      {renaming ? (
        <Rename summary={summary} done={() => setRenaming(false)} />
      ) : (
        <>
          <a
            class="row-link"
            href={addressOf(to)}
            aria-current={current ? "page" : undefined}
            title={title}
            onClick={visit(to)}
            onDblClick={() => setRenaming(true)}
          >
            {summary.temporary && <Ghost size={15} />}
            {summary.pinned && <Pin size={14} />}
            <span class="row-title">{title}</span>
            {summary.writing && <span class="row-writing" role="img" aria-label={t("conversation.writing")} />}
          </a>
          <Menu
            label={t("conversation.menu", { title })}
            class="icon-button row-menu"
            items={conversationMenu(summary, () => setRenaming(true))}
          >
            <Dots size={18} />
          </Menu>
        </>
      )}
    </li>
  );
}

function Rename({ summary, done }: { summary: Summary; done: () => void }) {
  const save = (title: string) => {
    done();
    if (title.trim() && title.trim() !== summary.title) void change(summary.id, { title: title.trim() });
  };
  return (
    <input
      class="row-rename"
      type="text"
      aria-label={t("conversation.rename")}
      defaultValue={summary.title}
      maxLength={200}
      ref={(input) => {
        if (input && document.activeElement !== input) {
          input.focus();
          input.select();
        }
      }}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === "Enter") save(event.currentTarget.value);
        if (event.key === "Escape") {
          event.stopPropagation();
          event.currentTarget.value = summary.title; // else leaving the field would save it
          done();
        }
      }}
      onBlur={(event) => save(event.currentTarget.value)}
    />
  );
}
