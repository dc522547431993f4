// What the model thought before it answered: open while it comes, folded once the answer begins.

import { type Signal, useComputed } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Message } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { ChevronRight, Spark } from "../icons.tsx";
import { Text } from "./Text.tsx";

export function Thinking({ conversation, message }: { conversation: OpenConversation; message: Signal<Message> }) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const present = useComputed(() => message.value.reasoning !== "").value;
  const going = useComputed(() => message.value.state === "writing" && message.value.content === "").value;
  const id = message.peek().id;
  const span = useComputed(() => conversation.thought.value.get(id)).value;
  if (!present) return null;
  const open = chosen ?? going;
  return (
    <div class={`thinking ${going ? "thinking-going" : ""}`}>
      <button type="button" class="thinking-summary" aria-expanded={open} onClick={() => setChosen(!open)}>
        <Spark size={16} />
        <span>{heading(going, span)}</span>
        <span class={`folder-chevron ${open ? "folder-open" : ""}`}>
          <ChevronRight size={16} />
        </span>
      </button>
      {open && <Content message={message} going={going} />}
    </div>
  );
}

function Content({ message, going }: { message: Signal<Message>; going: boolean }) {
  const text = useComputed(() => message.value.reasoning).value;
  return (
    <div class="thinking-content">
      <Text text={text} streaming={going} />
    </div>
  );
}

function heading(going: boolean, span: { from: number; to: number | null } | undefined): string {
  if (going) return t("thinking.going");
  if (!span?.to) return t("thinking.done");
  return t("thinking.seconds", { n: Math.max(1, Math.round((span.to - span.from) / 1000)) });
}
