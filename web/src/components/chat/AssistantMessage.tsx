// A reply: its thinking, its text as Markdown, how it ended, and what can be done with it.

import { type Signal, useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Message, Report } from "../../api/types.ts";
import { t } from "../../i18n/index.ts";
import { answer, goOn } from "../../state/chat.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { announcement } from "../../state/notices.ts";
import { inspect } from "../../state/route.ts";
import { IconButton } from "../IconButton.tsx";
import { Play, Pulse, Refresh, Trash, Warning } from "../icons.tsx";
import { BranchSwitcher } from "./BranchSwitcher.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { follow } from "./following.ts";
import { ReportView } from "./ReportView.tsx";
import { Text } from "./Text.tsx";
import { Thinking } from "./Thinking.tsx";
import { askToRemove } from "./UserMessage.tsx";

interface Props {
  conversation: OpenConversation;
  message: Signal<Message>;
  last: boolean;
}

export function AssistantMessage({ conversation, message, last }: Props) {
  const state = useComputed(() => message.value.state).value;
  useAnnouncement(state);
  return (
    <>
      <Thinking conversation={conversation} message={message} />
      <Body message={message} />
      {state === "writing" ? (
        <div class="message-actions">
          <BranchSwitcher conversation={conversation} id={message.peek().id} />
          <Inspect conversation={conversation} id={message.peek().id} />
        </div>
      ) : (
        <>
          <Dropped report={message.value.report} />
          <Ending message={message.value} last={last} />
          <Actions conversation={conversation} message={message.value} />
        </>
      )}
    </>
  );
}

/** Redrawn with every piece that comes; nothing around it is. */
function Body({ message }: { message: Signal<Message> }) {
  const { content, reasoning, state } = message.value;
  const writing = state === "writing";
  if (!content) return writing && !reasoning ? <Waiting /> : null;
  return (
    <div class={writing ? "reply reply-writing" : "reply"} dir="auto" aria-busy={writing}>
      <Text text={content} streaming={writing} />
    </div>
  );
}

function Waiting() {
  return (
    <p class="waiting">
      <span class="ember" />
      {t("message.waiting")}
    </p>
  );
}

/** What the model did not see, because it had no room for it. */
function Dropped({ report }: { report: Report | null }) {
  const messages = report?.dropped?.messages;
  return messages ? <p class="message-note">{t("report.dropped", { n: messages })}</p> : null;
}

function Ending({ message, last }: { message: Message; last: boolean }) {
  const { id, parent, state, error, report, content } = message;
  const cut = state === "complete" && report?.finish === "length";
  if (state === "complete" && !cut) return null;
  const text =
    state === "failed"
      ? t("message.failed", { reason: error ?? t("message.failed.unknown") })
      : state === "interrupted"
        ? t("message.interrupted")
        : cut
          ? t("message.cut")
          : t("message.stopped");
  return (
    <div class={`message-note ${state === "failed" || state === "interrupted" ? "message-note-bad" : ""}`}>
      {state === "failed" && <Warning size={18} />}
      <span>{text}</span>
      {last && content && state !== "failed" && (
        <button type="button" class="button button-small" onClick={() => void goOn(id).then(followIt)}>
          <Play size={15} /> {t("message.continue")}
        </button>
      )}
      {(state === "failed" || state === "interrupted") && parent !== null && (
        <button type="button" class="button button-small" onClick={() => void answer(parent).then(followIt)}>
          <Refresh size={15} /> {t("message.retry")}
        </button>
      )}
    </div>
  );
}

function Actions({ conversation, message }: { conversation: OpenConversation; message: Message }) {
  const { id, parent, report, model } = message;
  return (
    <div class="message-actions">
      <BranchSwitcher conversation={conversation} id={id} />
      <CopyButton text={() => message.content} />
      {parent !== null && (
        <IconButton
          icon={Refresh}
          size={17}
          label={t("message.regenerate")}
          onClick={() => void answer(parent).then(followIt)}
        />
      )}
      <Inspect conversation={conversation} id={id} />
      <IconButton icon={Trash} size={17} label={t("message.delete")} onClick={() => void askToRemove(id)} />
      <ReportView report={report} model={model} />
    </div>
  );
}

/** The newest is followed by what is written after it. */
function Inspect({ conversation, id }: { conversation: OpenConversation; id: number }) {
  const open = () => inspect(conversation.branch.peek().at(-1) === id ? "newest" : id);
  return <IconButton icon={Pulse} size={17} label={t("message.inspect")} onClick={open} />;
}

const followIt = (done: boolean) => {
  if (done) follow.value++;
};

/** Those who listen are told when a reply they waited for has ended, not each word of it. */
function useAnnouncement(state: Message["state"]) {
  const before = useRef(state);
  useEffect(() => {
    if (before.current === "writing" && state !== "writing") {
      announcement.value = t(state === "complete" ? "message.done" : "message.ended");
    }
    if (state === "writing") announcement.value = t("message.begun");
    before.current = state;
  }, [state]);
}
