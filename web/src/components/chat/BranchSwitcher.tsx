// ‹ 2/3 ›: which of a message's versions is shown.

import { t } from "../../i18n/index.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { IconButton } from "../IconButton.tsx";
import { ChevronLeft, ChevronRight } from "../icons.tsx";

export function BranchSwitcher({ conversation, id }: { conversation: OpenConversation; id: number }) {
  const siblings = conversation.tree.value.siblingsOf(id);
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(id);
  const show = (index: number) => conversation.show(siblings[index]!);
  return (
    <div class="branches" role="group" aria-label={t("branches.label")}>
      <IconButton
        icon={ChevronLeft}
        size={17}
        label={t("branches.previous")}
        disabled={at === 0}
        onClick={() => show(at - 1)}
      />
      <span aria-label={t("branches.position", { at: at + 1, of: siblings.length })}>
        {at + 1}/{siblings.length}
      </span>
      <IconButton
        icon={ChevronRight}
        size={17}
        label={t("branches.next")}
        disabled={at === siblings.length - 1}
        onClick={() => show(at + 1)}
      />
    </div>
  );
}
