// Says that the server is away, once that has lasted a moment (a restart is over before), or that it can't save.

import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { connection, trouble } from "../state/sync.ts";

const MOMENT = 800; // milliseconds

export function ConnectionBanner() {
  const away = connection.value === "offline";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(away), away ? MOMENT : 0);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div class="banner-place" role="status">
      {!shown && trouble.value !== null && (
        <div class="banner banner-bad">{t("connection.trouble", { reason: trouble.value })}</div>
      )}
      {shown && (
        <div class="banner">
          <span class="spinner" />
          {t("connection.away")}
        </div>
      )}
    </div>
  );
}
