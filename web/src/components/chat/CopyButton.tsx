// Copies a text, and says for a moment that it did.

import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { copyText } from "../../state/files.ts";
import { announcement, notify } from "../../state/notices.ts";
import { IconButton } from "../IconButton.tsx";
import { Check, Copy } from "../icons.tsx";

export function CopyButton({ text }: { text: () => string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    const copied = await copyText(text());
    setDone(copied);
    if (copied) announcement.value = t("action.copied");
    else notify(t("error.copy"), { kind: "error" });
  };
  return (
    <IconButton
      icon={done ? Check : Copy}
      size={17}
      label={done ? t("action.copied") : t("action.copy")}
      onClick={() => void copy()}
    />
  );
}
