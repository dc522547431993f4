// What a model wrote, as Markdown, with the interface's words and its way of opening links.

import { t } from "../../i18n/index.ts";
import { Markdown } from "../../markdown/index.ts";
import { outsideLink } from "../../state/overlays.ts";

export function Text({ text, streaming }: { text: string; streaming: boolean }) {
  return (
    <Markdown
      text={text}
      streaming={streaming}
      onLink={(address) => (outsideLink.value = address)}
      labels={{
        copy: t("action.copy"),
        copied: t("action.copied"),
        wrapLines: t("markdown.wrap"),
        code: t("markdown.code"),
        table: t("markdown.table"),
        imageNotShown: t("markdown.image"),
        taskDone: t("markdown.taskDone"),
        taskOpen: t("markdown.taskOpen"),
      }}
    />
  );
}
