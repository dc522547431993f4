// Where the person writes. Enter sends (on a screen's keyboard it is a new line), Shift+Enter is a new line, and what an
// input method is still composing is never sent.

import { useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import { upload, uploads } from "../../state/attachments.ts";
import { sendDraft, sending, setup, stop } from "../../state/chat.ts";
import { opened } from "../../state/conversation.ts";
import { changeDraft, draft, keepDraft, openDraft } from "../../state/drafts.ts";
import { server } from "../../state/library.ts";
import { announcement } from "../../state/notices.ts";
import { route } from "../../state/route.ts";
import { connection } from "../../state/sync.ts";
import { IconButton } from "../IconButton.tsx";
import { ArrowUp, Close, Paperclip, Stop } from "../icons.tsx";
import { touch } from "../media.ts";
import { AttachmentChips } from "./AttachmentChips.tsx";
import { ContextGauge } from "./ContextGauge.tsx";
import { follow } from "./following.ts";

const LONG_PASTE = 4000; // characters

interface Paste {
  text: string;
}

export function Composer() {
  const owner = route.value.page === "chat" ? route.value.conversation : null;
  const area = useRef<HTMLTextAreaElement>(null);
  const [paste, setPaste] = useState<Paste | null>(null);
  const writing = useComputed(() => opened.value?.writing?.id).value;
  const { text, attachments } = draft.value;
  const coming = uploads.value.filter((each) => each.owner === owner);
  const files = attachments.length + coming.length;
  const empty = text.trim() === "" && files === 0;
  // Sent while files were on their way: how many it waits for. It goes once they are all there.
  const [awaited, setAwaited] = useState<number | null>(null);
  const offline = connection.value === "offline";

  useLayoutEffect(() => {
    openDraft(owner, setup.peek().temporary);
    setPaste(null);
    setAwaited(null);
    if (!touch.peek()) area.current?.focus({ preventScroll: true });
  }, [owner]);
  useEffect(() => {
    addEventListener("pagehide", keepDraft);
    return () => {
      keepDraft();
      removeEventListener("pagehide", keepDraft);
    };
  }, []);
  useGrowing(area, text);

  const send = async () => {
    if (empty || sending.peek()) return;
    if (writing !== undefined) {
      announcement.value = t("composer.busy");
      return;
    }
    setAwaited(coming.length ? files : null);
    if (coming.length) return;
    setPaste(null);
    if (await sendDraft()) follow.value++;
  };
  useEffect(() => {
    if (awaited === null || coming.length) return;
    if (attachments.length === awaited) void send();
    else setAwaited(null); // one of them was refused, or taken out
  }, [awaited, coming.length]);

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {paste && <PasteOffer paste={paste} owner={owner} done={() => setPaste(null)} />}
      <div class={`composer-box ${setup.value.temporary ? "composer-temporary" : ""}`}>
        {(attachments.length > 0 || coming.length > 0) && (
          <AttachmentChips
            attachments={attachments}
            coming={coming.map((each) => each.name)}
            remove={(id) => changeDraft({ attachments: attachments.filter((each) => each.id !== id) })}
          />
        )}
        <textarea
          ref={area}
          class="growing"
          rows={1}
          dir="auto"
          aria-label={t("composer.label")}
          placeholder={t("composer.placeholder")}
          value={text}
          readOnly={sending.value}
          enterkeyhint={touch.value ? "enter" : "send"}
          onInput={(event) => {
            setAwaited(null); // who writes on has not finished
            changeDraft({ text: event.currentTarget.value });
          }}
          onKeyDown={(event) => {
            // 229: Safari ends a composition before it tells of the key that did.
            if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
            if (event.shiftKey || event.altKey || touch.peek()) return;
            event.preventDefault();
            void send();
          }}
          onPaste={(event) => {
            const files = event.clipboardData?.files;
            if (files?.length) {
              event.preventDefault();
              return void upload(files, owner, setup.peek().temporary);
            }
            const pasted = event.clipboardData?.getData("text/plain") ?? "";
            setPaste(pasted.length > LONG_PASTE ? { text: pasted } : null);
          }}
        />
        <div class="composer-row">
          <AttachButton pick={(files) => void upload(files, owner, setup.peek().temporary)} />
          <span class="composer-space" />
          <ContextGauge />
          {writing !== undefined ? (
            <IconButton
              class="stop"
              icon={Stop}
              size={22}
              label={`${t("composer.stop")} (Esc)`}
              onClick={() => void stop(writing)}
            />
          ) : (
            <button
              type="submit"
              class="send"
              aria-label={t("action.send")}
              title={offline ? t("composer.offline") : t("action.send")}
              disabled={empty || awaited !== null || sending.value}
            >
              <ArrowUp />
            </button>
          )}
        </div>
      </div>
      <p class="composer-note">{noteOf(offline)}</p>
    </form>
  );
}

function noteOf(offline: boolean): string {
  if (offline) return t("composer.offline");
  if (setup.value.temporary) return t("composer.temporary");
  if (server.value && !server.value.ready && server.value.default_model) {
    return t("composer.loading", { model: server.value.default_model });
  }
  return t("composer.note");
}

function AttachButton({ pick }: { pick: (files: FileList) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon={Paperclip} label={t("attachment.add")} onClick={() => input.current!.click()} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        aria-label={t("attachment.add")}
        onChange={(event) => {
          const { files } = event.currentTarget;
          if (files?.length) pick(files);
          event.currentTarget.value = ""; // so that the same file can be chosen again
        }}
      />
    </>
  );
}

/** A long text is better kept as a file than in the field; the person decides. */
function PasteOffer({ paste, owner, done }: { paste: Paste; owner: number | null; done: () => void }) {
  const { text } = draft.value;
  if (!text.includes(normalised(paste.text))) return null; // it was edited, or undone
  const attach = () => {
    changeDraft({ text: text.replace(normalised(paste.text), () => "").trim() });
    void upload(
      [new File([paste.text], t("attachment.pasted"), { type: "text/plain" })],
      owner,
      setup.peek().temporary,
    );
    done();
  };
  return (
    <div class="paste-offer" role="status">
      <span>{t("attachment.offer", { n: paste.text.length, size: formatNumber(paste.text.length) })}</span>
      <button type="button" class="button button-small button-primary" onClick={attach}>
        {t("attachment.offer.yes")}
      </button>
      <IconButton icon={Close} size={16} label={t("attachment.offer.no")} onClick={done} />
    </div>
  );
}

// As a text field gives it back.
const normalised = (text: string) => text.replace(/\r\n?/g, "\n");

const growsByItself = CSS.supports("field-sizing", "content");

/** As high as its text, within what the style sheet allows. */
function useGrowing(area: { current: HTMLTextAreaElement | null }, text: string) {
  useLayoutEffect(() => {
    if (growsByItself || !area.current) return;
    area.current.style.height = "auto";
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);
}
