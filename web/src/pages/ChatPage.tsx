// A chat: the one that is open, or one that has not begun.

import { useState } from "preact/hooks";
import { ChatHeader } from "../components/chat/ChatHeader.tsx";
import { Composer } from "../components/chat/Composer.tsx";
import { Transcript } from "../components/chat/Transcript.tsx";
import { Mark, Paperclip } from "../components/icons.tsx";
import { t } from "../i18n/index.ts";
import { upload } from "../state/attachments.ts";
import { setup } from "../state/chat.ts";
import { opened } from "../state/conversation.ts";
import { folders, server } from "../state/library.ts";
import { go, route } from "../state/route.ts";

export function ChatPage() {
  const id = route.value.page === "chat" ? route.value.conversation : null;
  const conversation = opened.value;
  const [over, setOver] = useState(false);
  const empty = id === null || (conversation?.loaded.value && conversation.branch.value.length === 0);
  return (
    <div
      class={`chat ${empty ? "chat-empty" : ""}`}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        const files = event.dataTransfer?.files;
        if (!files?.length) return;
        event.preventDefault();
        void upload(files, id, setup.peek().temporary);
      }}
    >
      <ChatHeader />
      {empty ? (
        <Welcome />
      ) : conversation ? (
        <Transcript key={conversation.id} conversation={conversation} />
      ) : (
        <div class="transcript-frame" />
      )}
      <Composer />
      {over && (
        <div class="drop">
          <Paperclip size={28} />
          <p>{t("attachment.drop")}</p>
        </div>
      )}
    </div>
  );
}

function Welcome() {
  const { temporary, folder } = setup.value;
  const inFolder = folders.value.find((each) => each.id === folder);
  const noModel = server.value && !server.value.default_model && server.value.models.length === 0;
  return (
    <div class="welcome">
      <Mark size={56} />
      <h2>{noModel ? t("welcome.noModel") : temporary ? t("welcome.temporary") : t("welcome.title")}</h2>
      <p>
        {noModel
          ? t("welcome.noModel.body")
          : temporary
            ? t("composer.temporary")
            : inFolder
              ? t("welcome.folder", { name: inFolder.name })
              : t("welcome.body")}
      </p>
      {noModel && (
        <button type="button" class="button button-primary" onClick={() => go({ page: "machine" })}>
          {t("welcome.getModel")}
        </button>
      )}
    </div>
  );
}
