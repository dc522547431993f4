// Nobody is signed in: how to. Another tab that signs in takes this one along (state/session.ts).

import { Mark } from "../components/icons.tsx";
import { CopyButton } from "../components/chat/CopyButton.tsx";
import { t } from "../i18n/index.ts";
import { session, signInProblem } from "../state/session.ts";

const COMMAND = "ingle open";

export function SignedOutPage() {
  if (session.value === "signing-in") return <main class="signed-out" aria-busy="true" />;
  const problem = signInProblem.value;
  return (
    <main class="signed-out">
      <Mark size={64} />
      <h1>{t("session.title")}</h1>
      {problem && (
        <p class="signed-out-problem" role="alert">
          {t(problem === "refused" ? "session.refused" : "session.unreachable")}
        </p>
      )}
      <p>{t("session.body")}</p>
      <p class="command">
        <code>{COMMAND}</code>
        <CopyButton text={() => COMMAND} />
      </p>
      <p class="hint">{t("session.why")}</p>
    </main>
  );
}
