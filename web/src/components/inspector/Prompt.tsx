// What the model was given: the conversation as its template writes it, token by token.

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import type { Piece } from "../../api/inspector.ts";
import { shownOf } from "../../inspector/pieces.ts";
import type { Reply } from "../../state/inspector.ts";
import { CopyButton } from "../chat/CopyButton.tsx";
import { Fact, InText } from "./Parts.tsx";
import { percent } from "./words.ts";

const STRETCH = 256; // tokens

export function Prompt({ reply }: { reply: Reply }) {
  const head = reply.head.value;
  const { prompt, sampling, context_length, timings } = head;
  const cached = head.cached_tokens ?? timings?.["cache_n"] ?? null;
  const bounds = useSignal(true);
  const used = prompt.length + reply.count.value;
  return (
    <div class="prompt">
      <dl class="facts">
        <Fact name={t("inspector.prompt.tokens")}>{formatNumber(prompt.length)}</Fact>
        <Fact name={t("inspector.prompt.cached")} title={t("inspector.prompt.cached.help")}>
          {cached === null ? "–" : `${formatNumber(cached)} (${percent(cached / Math.max(prompt.length, 1))})`}
        </Fact>
        <Fact name={t("inspector.prompt.context")}>
          {formatNumber(used)} / {formatNumber(context_length)}
        </Fact>
        <Fact name={t("report.model")}>{head.model}</Fact>
      </dl>
      <Room cached={cached ?? 0} prompt={prompt.length} reply={reply.count.value} all={context_length} />
      <div class="prompt-bar">
        <label class="check">
          <input type="checkbox" checked={bounds.value} onChange={() => (bounds.value = !bounds.value)} />
          {t("inspector.prompt.bounds")}
        </label>
        {cached ? <span class="key key-cached">{t("inspector.prompt.fromCache")}</span> : null}
        <span class="key key-special">{t("inspector.prompt.special")}</span>
        <span class="page-header-space" />
        <CopyButton text={() => prompt.map(({ text }) => text).join("")} />
      </div>
      <PromptText prompt={prompt} cached={cached ?? 0} bounds={bounds.value} />
      <Sampling sampling={sampling} grammar={head.grammar} />
    </div>
  );
}

/** How the context is filled. */
function Room({ cached, prompt, reply, all }: { cached: number; prompt: number; reply: number; all: number }) {
  const part = (tokens: number) => ({ inlineSize: `${(100 * tokens) / Math.max(all, 1)}%` });
  return (
    <div class="room" aria-hidden="true">
      <span class="room-cached" style={part(cached)} />
      <span class="room-prompt" style={part(prompt - cached)} />
      <span class="room-reply" style={part(reply)} />
    </div>
  );
}

function PromptText({ prompt, cached, bounds }: { prompt: readonly Piece[]; cached: number; bounds: boolean }) {
  const stretches = useMemo(() => {
    const shown = shownOf(prompt);
    const all: preact.JSX.Element[] = [];
    for (let from = 0; from < prompt.length; from += STRETCH)
      all.push(
        <span key={from}>
          {prompt.slice(from, from + STRETCH).map((piece, i) => {
            const at = from + i;
            const kind = `${piece.special ? "piece-special" : ""} ${at < cached ? "piece-cached" : ""}`;
            return (
              <span key={at} class={`piece ${kind}`} title={`${at} · #${piece.id}`}>
                <InText text={shown[at]!.text} />
              </span>
            );
          })}
        </span>,
      );
    return all;
  }, [prompt, cached]);
  return (
    <div
      class={`prompt-text ${bounds ? "prompt-bounds" : ""}`}
      tabIndex={0}
      role="region"
      aria-label={t("inspector.prompt.label")}
      dir="auto"
    >
      {stretches}
    </div>
  );
}

function Sampling({ sampling, grammar }: { sampling: Record<string, unknown>; grammar: boolean }) {
  const entries = Object.entries(sampling);
  return (
    <div class="sampling">
      <h3>{t("inspector.sampling")}</h3>
      <ul class="sampling-list">
        {entries.map(([name, value]) => (
          <li key={name}>
            <code>{name}</code> {typeof value === "object" ? JSON.stringify(value) : String(value)}
          </li>
        ))}
        {grammar && <li>{t("inspector.step.grammar")}</li>}
        {!entries.length && !grammar && <li>{t("inspector.step.greedy")}</li>}
      </ul>
    </div>
  );
}
