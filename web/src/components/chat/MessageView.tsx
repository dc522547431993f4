// One message: who wrote it decides how it looks.

import { type Signal, useComputed } from "@preact/signals";
import { t } from "../../i18n/index.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { AssistantMessage } from "./AssistantMessage.tsx";
import { ToolMessage } from "./ToolMessage.tsx";
import { UserMessage } from "./UserMessage.tsx";

interface Props {
  conversation: OpenConversation;
  id: number;
  /** Whether it has come near what is seen; until then its text stands there as it is. */
  near: Signal<boolean>;
  last: boolean;
}

export function MessageView({ conversation, id, near, last }: Props) {
  const message = conversation.message(id);
  const role = useComputed(() => message?.value.role).value;
  if (!message || !role) return null;
  return (
    <article
      id={`message-${id}`}
      class={`message message-${role} ${last ? "message-last" : ""}`}
      aria-label={t(role === "user" ? "message.yours" : role === "tool" ? "message.tool" : "message.reply")}
    >
      {!near.value ? (
        <div class="message-text">{message.peek().content}</div>
      ) : role === "user" ? (
        <UserMessage conversation={conversation} message={message} last={last} />
      ) : role === "tool" ? (
        <ToolMessage message={message} />
      ) : (
        <AssistantMessage conversation={conversation} message={message} last={last} />
      )}
    </article>
  );
}
