// Small parts that several tabs share.

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../../i18n/index.ts";
import { type Part, partsOf, plainOf, shownOf, aloneOf } from "../../inspector/pieces.ts";
import { chosen, focused, type Reply, writeAgain } from "../../state/inspector.ts";
import { IconButton } from "../IconButton.tsx";
import { ChevronLeft, ChevronRight } from "../icons.tsx";

/** Text whose unseen characters are marked. */
export function Marked({ parts }: { parts: readonly Part[] }) {
  return (
    <>
      {parts.map(({ text, mark }, i) =>
        mark ? (
          <span key={i} class="unseen">
            {text}
          </span>
        ) : (
          text
        ),
      )}
    </>
  );
}

/** A token by itself, as a chip. */
export function Chip({ text, special = false }: { text: string; special?: boolean }) {
  const parts = aloneOf(text);
  return (
    <span class={`token-chip ${special ? "token-chip-special" : ""}`} dir="auto">
      {parts.length ? <Marked parts={parts} /> : <span class="unseen">∅</span>}
    </span>
  );
}

export const InText = ({ text }: { text: string }) => <Marked parts={partsOf(text, true)} />;

export function Bar({ share, level }: { share: number; level?: number }) {
  return (
    <span class="bar">
      <span
        class={`bar-value ${level === undefined ? "" : `heat-${level}`}`}
        style={{ inlineSize: `${100 * Math.max(Math.min(share, 1), 0)}%` }}
      />
    </span>
  );
}

export function Fact({ name, children, title }: { name: string; children: ComponentChildren; title?: string }) {
  return (
    <div class="fact" title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const AROUND = 6;

/** The token that the tab is about, among its neighbours. */
export function TokenStrip({ reply }: { reply: Reply }) {
  const count = reply.count.value;
  const at = focused.value;
  const from = Math.max(Math.min(at - AROUND, count - 2 * AROUND - 1), 0);
  const to = Math.min(from + 2 * AROUND + 1, count);
  const shown = shownOf(reply.tokens.slice(from, to));
  return (
    <div class="strip">
      <IconButton
        icon={ChevronLeft}
        size={17}
        label={t("inspector.token.previous")}
        disabled={at === 0}
        onClick={() => (chosen.value = at - 1)}
      />
      <div class="strip-tokens" role="group" aria-label={t("inspector.token.choose")}>
        {shown.map(({ text }, i) => (
          <button
            key={from + i}
            type="button"
            aria-pressed={from + i === at}
            aria-label={`${t("inspector.token.at", { n: from + i + 1 })} ${plainOf(text)}`}
            onClick={() => (chosen.value = from + i)}
          >
            <Chip text={text} />
          </button>
        ))}
      </div>
      <IconButton
        icon={ChevronRight}
        size={17}
        label={t("inspector.token.next")}
        disabled={at >= count - 1}
        onClick={() => (chosen.value = at + 1)}
      />
    </div>
  );
}

interface ChoiceProps {
  name: string;
  value: number;
  from: number;
  to: number;
  say: string;
  choose: (to: number) => void;
}

/** One of a row of numbers, by a slider. */
export function Choice({ name, value, from, to, say, choose }: ChoiceProps) {
  return (
    <label class="choice">
      <span>
        {name} <b>{say}</b>
      </span>
      <input
        type="range"
        min={from}
        max={to}
        value={value}
        aria-valuetext={say}
        onInput={(event) => choose(Number(event.currentTarget.value))}
      />
    </label>
  );
}

interface RecordNextProps {
  id: number;
  setting: Signal<boolean>;
  label: string;
}

/** What was not recorded is, once it is switched on and the reply written again. */
export function RecordNext({ id, setting, label }: RecordNextProps) {
  return (
    <button
      type="button"
      class="button button-small"
      onClick={() => (setting.value ? void writeAgain(id) : (setting.value = true))}
    >
      {setting.value ? t("inspector.writeAgain") : label}
    </button>
  );
}

/** Waiting, or why there is nothing. */
export function Note({ children }: { children: ComponentChildren }) {
  return <p class="hint inspector-note">{children}</p>;
}
