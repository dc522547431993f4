// How long conversations are kept. A shorter time deletes some at once, so it is asked about first.

import { useEffect, useState } from "preact/hooks";
import { changeRetention, getRetention } from "../api/routes.ts";
import type { Retention } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { refreshConversations } from "../state/conversations.ts";
import { confirm, notify, notifyError } from "../state/notices.ts";
import { SettingRow } from "./SettingRow.tsx";

const FOREVER = 0;
const OFFERED = [FOREVER, 30, 90, 365];

export function RetentionChoice() {
  const [rule, setRule] = useState<Retention | null>(null);
  useEffect(() => {
    getRetention().then(setRule, notifyError);
  }, []);
  if (!rule) return null;
  const all = [...new Set([...OFFERED, rule.days])].sort((a, b) => (a || Infinity) - (b || Infinity));
  return (
    <SettingRow name={t("retention.title")} help={helpOf(rule)}>
      <select
        aria-label={t("retention.title")}
        value={rule.days}
        disabled={rule.fixed}
        onChange={(event) => {
          const select = event.currentTarget;
          void choose(Number(select.value)).then((chosen) => {
            if (chosen !== null) setRule({ ...rule, days: chosen });
            else select.value = String(rule.days);
          });
        }}
      >
        {all.map((days) => (
          <option key={days} value={days}>
            {days === FOREVER ? t("retention.forever") : t("retention.days", { n: days })}
          </option>
        ))}
      </select>
    </SettingRow>
  );
}

function helpOf({ days, fixed }: Retention): string {
  const means = days === FOREVER ? t("retention.help.forever") : t("retention.help.days", { n: days });
  return fixed ? `${means} ${t("retention.fixed")}` : means;
}

/** What holds then; null: nothing has changed. */
async function choose(days: number): Promise<number | null> {
  try {
    const { too_old } = await getRetention(days);
    const agreed =
      days === FOREVER ||
      (await confirm({
        title: t("retention.title"),
        body: `${t("retention.help.days", { n: days })} ${t("retention.now", { n: too_old })}`,
        action: too_old ? t("retention.delete") : t("retention.agree"),
        danger: too_old > 0,
      }));
    if (!agreed) return null;
    const changed = await changeRetention(days);
    if (changed.deleted) {
      notify(t("settings.deleteAll.done", { n: changed.deleted }));
      await refreshConversations();
    }
    return changed.days;
  } catch (error) {
    notifyError(error);
    return null;
  }
}
