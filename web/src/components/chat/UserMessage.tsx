// What the person wrote: as it was typed. It can be edited, which makes a branch.

import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Message } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";
import { answer, editMessage, removeMessage } from "../../state/chat.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { confirm } from "../../state/notices.ts";
import { IconButton } from "../IconButton.tsx";
import { Pencil, Refresh, Trash } from "../icons.tsx";
import { AttachmentChips } from "./AttachmentChips.tsx";
import { BranchSwitcher } from "./BranchSwitcher.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { follow } from "./following.ts";

interface Props {
  conversation: OpenConversation;
  message: Signal<Message>;
  last: boolean;
}

export function UserMessage({ conversation, message, last }: Props) {
  const [editing, setEditing] = useState(false);
  const { id, content, attachments } = message.value;
  if (editing) return <Editor message={message.value} done={() => setEditing(false)} />;
  return (
    <>
      {attachments.length > 0 && <AttachmentChips attachments={attachments} />}
      {content && <Content text={content} />}
      {last && (
        <div class="message-note">
          <span>{t("message.unanswered")}</span>
          <button type="button" class="button button-small" onClick={() => void answer(id)}>
            <Refresh size={16} /> {t("message.answer")}
          </button>
        </div>
      )}
      <div class="message-actions">
        <BranchSwitcher conversation={conversation} id={id} />
        <CopyButton text={() => message.peek().content} />
        <IconButton icon={Pencil} size={17} label={t("message.edit")} onClick={() => setEditing(true)} />
        <IconButton icon={Trash} size={17} label={t("message.delete")} onClick={() => void askToRemove(id)} />
      </div>
    </>
  );
}

const LONG = 1800; // characters, or lines, beyond which a message is folded
const LONG_LINES = 24;

function Content({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const long = text.length > LONG || text.split("\n", LONG_LINES + 1).length > LONG_LINES;
  return (
    <div class={`bubble ${long && !whole ? "bubble-folded" : ""}`}>
      <div class="message-text" dir="auto">
        {text}
      </div>
      {long && (
        <button type="button" class="bubble-fold" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? t("message.less") : t("message.more")}
        </button>
      )}
    </div>
  );
}

function Editor({ message, done }: { message: Message; done: () => void }) {
  const [text, setText] = useState(message.content);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    area.current!.focus();
    area.current!.setSelectionRange(text.length, text.length);
  }, []);
  const ready = text.trim() !== "" || message.attachments.length > 0;
  const send = async () => {
    if (!ready || !(await editMessage(message, text))) return;
    done();
    follow.value++;
  };
  return (
    <form
      class="message-edit"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        ref={area}
        class="growing"
        aria-label={t("message.edit")}
        value={text}
        dir="auto"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === "Escape") done();
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      <p class="hint">{t("message.editHint")}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={done}>
          {t("action.cancel")}
        </button>
        <button type="submit" class="button button-primary" disabled={!ready}>
          {t("action.send")}
        </button>
      </div>
    </form>
  );
}

export async function askToRemove(id: number) {
  const agreed = await confirm({
    title: t("message.delete.title"),
    body: t("message.delete.body"),
    action: t("action.delete"),
    danger: true,
  });
  if (agreed) await removeMessage(id);
}
