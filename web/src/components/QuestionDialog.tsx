// The one question that waits for an answer (see confirm and ask in state/notices.ts).

import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { question, type Question } from "../state/notices.ts";
import { Dialog } from "./Dialog.tsx";

export function QuestionDialog() {
  const asked = question.value;
  return asked && <Asked key={asked.title} asked={asked} />;
}

function Asked({ asked }: { asked: Question }) {
  const [text, setText] = useState(asked.input?.value ?? "");
  const ready = asked.typed ? text.trim() === asked.typed : !asked.input || text.trim() !== "";
  const field = asked.input ?? (asked.typed ? { label: t("question.type", { word: asked.typed }), value: "" } : null);
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(null)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) asked.answer(text.trim());
        }}
      >
        {asked.body && <p class="dialog-body">{asked.body}</p>}
        {field && (
          <label class="field">
            <span>{field.label}</span>
            <input
              type="text"
              autofocus
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onFocus={(event) => event.currentTarget.select()}
            />
          </label>
        )}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => asked.answer(null)}>
            {t("action.cancel")}
          </button>
          <button type="submit" class={`button ${asked.danger ? "button-danger" : "button-primary"}`} disabled={!ready}>
            {asked.action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
