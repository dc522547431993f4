// Short notes at the page's lower edge, and what is said to those who listen.

import { t } from "../i18n/index.ts";
import { announcement, dismiss, holdNotice, notices, type Notice } from "../state/notices.ts";
import { IconButton } from "./IconButton.tsx";
import { Close } from "./icons.tsx";

export function Notices() {
  return (
    <>
      <div class="notices" role="region" aria-label={t("notices.label")}>
        {notices.value.map((notice) => (
          <NoticeView key={notice.id} notice={notice} />
        ))}
      </div>
      <div class="only-heard" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

function NoticeView({ notice }: { notice: Notice }) {
  const { action } = notice;
  return (
    <div
      class={`notice notice-${notice.kind}`}
      role={notice.kind === "error" ? "alert" : "status"}
      onMouseEnter={() => holdNotice(notice.id, true)}
      onMouseLeave={() => holdNotice(notice.id, false)}
      onFocusIn={() => holdNotice(notice.id, true)}
      onFocusOut={() => holdNotice(notice.id, false)}
    >
      <span class="notice-text">{notice.text}</span>
      {action && (
        <button
          type="button"
          class="notice-action"
          onClick={() => {
            dismiss(notice.id, true);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton icon={Close} size={16} label={t("action.close")} onClick={() => dismiss(notice.id)} />
    </div>
  );
}
