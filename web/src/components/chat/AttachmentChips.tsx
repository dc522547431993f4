// Files of a message, or of one that is being written.

import { getAttachment } from "../../api/routes.ts";
import type { Attachment } from "../../api/types.ts";
import { formatBytes, t } from "../../i18n/index.ts";
import { save } from "../../state/files.ts";
import { notifyError } from "../../state/notices.ts";
import { IconButton } from "../IconButton.tsx";
import { Close, File } from "../icons.tsx";

interface Props {
  attachments: readonly Attachment[];
  /** Being uploaded. */
  coming?: readonly string[];
  remove?: (id: number) => void;
}

export function AttachmentChips({ attachments, coming = [], remove }: Props) {
  return (
    <ul class="chips" aria-label={t("attachment.label")}>
      {attachments.map((each) => (
        <li key={each.id} class="chip">
          <button
            type="button"
            class="chip-body"
            title={t("attachment.download", { name: each.name })}
            onClick={() => void download(each)}
          >
            <File size={18} />
            <span class="chip-name">{each.name}</span>
            <span class="chip-size">{formatBytes(each.bytes)}</span>
          </button>
          {remove && (
            <IconButton
              icon={Close}
              size={15}
              label={t("attachment.remove", { name: each.name })}
              onClick={() => remove(each.id)}
            />
          )}
        </li>
      ))}
      {coming.map((name, i) => (
        <li key={`coming ${i}`} class="chip chip-coming">
          <span class="spinner" />
          <span class="chip-name">{name}</span>
        </li>
      ))}
    </ul>
  );
}

// A link would not carry the token.
async function download(attachment: Attachment) {
  try {
    save(await getAttachment(attachment.id), attachment.name);
  } catch (error) {
    notifyError(error);
  }
}
