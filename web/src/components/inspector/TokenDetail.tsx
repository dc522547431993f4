// All about one token: what else it could have been, what sampling did, what it took.

import { formatNumber, type Key, t } from "../../i18n/index.ts";
import { en } from "../../i18n/en.ts";
import { hexOf, shownOf, textOf } from "../../inspector/pieces.ts";
import type { Token } from "../../api/inspector.ts";
import { chosen, type Reply, tab } from "../../state/inspector.ts";
import { IconButton } from "../IconButton.tsx";
import { ArrowDown, ChevronLeft, ChevronRight } from "../icons.tsx";
import { Bar, Chip, Fact } from "./Parts.tsx";
import { bits, milliseconds, percent } from "./words.ts";

export function TokenDetail({ reply, at, count }: { reply: Reply; at: number; count: number }) {
  const token = reply.tokens[at]!;
  const { text } = shownOf(reply.tokens.slice(at, at + 8))[0]!;
  const following = chosen.value === null && reply.head.value.finish === null;
  return (
    <section class="token-detail" aria-label={t("inspector.token.detail")}>
      <header class="detail-head">
        <Chip text={text} />
        <span class="detail-place">
          {t("inspector.token.position", { at: at + 1, of: count })}
          {following && ` · ${t("inspector.token.following")}`}
        </span>
        <span class="page-header-space" />
        {chosen.value !== null && reply.head.value.finish === null && (
          <IconButton
            icon={ArrowDown}
            size={17}
            label={t("inspector.token.follow")}
            onClick={() => (chosen.value = null)}
          />
        )}
        <IconButton
          icon={ChevronLeft}
          size={17}
          label={t("inspector.token.previous")}
          disabled={at === 0}
          onClick={() => (chosen.value = at - 1)}
        />
        <IconButton
          icon={ChevronRight}
          size={17}
          label={t("inspector.token.next")}
          disabled={at === count - 1}
          onClick={() => (chosen.value = at + 1)}
        />
      </header>
      <Facts token={token} />
      <p class="detail-links">
        {(["layers", "attention"] as const).map((each) => (
          <button
            key={each}
            type="button"
            class="detail-link"
            onClick={() => {
              chosen.value = at;
              tab.value = each;
            }}
          >
            {t(`inspector.token.${each}`)} →
          </button>
        ))}
      </p>
      <div class="detail-columns">
        <Alternatives token={token} text={text} />
        <Steps token={token} />
      </div>
    </section>
  );
}

function Facts({ token }: { token: Token }) {
  return (
    <dl class="facts">
      <Fact name={t("inspector.probability")} title={t("inspector.probability.help")}>
        {percent(Math.exp(token.logprob))}
      </Fact>
      <Fact name={t("inspector.rank")} title={t("inspector.rank.help")}>
        {formatNumber(token.rank + 1)}
      </Fact>
      <Fact name={t("inspector.entropy")} title={t("inspector.entropy.help")}>
        {bits(token.entropy)}
      </Fact>
      <Fact name={t("inspector.time")} title={t("inspector.time.help")}>
        {milliseconds(token.ms)}
      </Fact>
      <Fact name={t("inspector.rows")} title={t("inspector.rows.help")}>
        {formatNumber(token.rows)}
      </Fact>
      <Fact name={t("inspector.sequences")} title={t("inspector.sequences.help")}>
        {formatNumber(token.sequences)}
      </Fact>
      {token.allowed !== null && (
        <Fact name={t("inspector.allowed")} title={t("inspector.allowed.help")}>
          {formatNumber(token.allowed)}
        </Fact>
      )}
      {token.guessed && (
        <Fact name={t("inspector.guessed")} title={t("inspector.guessed.help")}>
          {t("inspector.yes")}
        </Fact>
      )}
      <Fact name={t("inspector.id")}>{token.id}</Fact>
      {token.bytes && <Fact name={t("inspector.bytes")}>{hexOf(token.bytes)}</Fact>}
    </dl>
  );
}

function Alternatives({ token, text }: { token: Token; text: string }) {
  const listed = token.top.some((each) => each.id === token.id);
  return (
    <div>
      <h3>{t("inspector.alternatives")}</h3>
      <ol class="alternatives">
        {token.top.map((each, i) => (
          <Alternative key={each.id} text={textOf(each)} logprob={each.logprob} rank={i} taken={each.id === token.id} />
        ))}
        {!listed && <Alternative text={text} logprob={token.logprob} rank={token.rank} taken />}
      </ol>
    </div>
  );
}

interface AlternativeProps {
  text: string;
  logprob: number;
  rank: number;
  taken: boolean;
}

function Alternative({ text, logprob, rank, taken }: AlternativeProps) {
  const probability = Math.exp(logprob);
  return (
    <li class={taken ? "taken" : ""} aria-current={taken ? "true" : undefined}>
      <span class="alternative-rank">{formatNumber(rank + 1)}</span>
      <Chip text={text} />
      <Bar share={probability} />
      <span class="alternative-share">{percent(probability)}</span>
    </li>
  );
}

/** Each step narrows what is left: the wider, the more. */
function Steps({ token }: { token: Token }) {
  const most = Math.max(...token.steps.map(({ left }) => left), 2);
  const width = (left: number) => Math.max(Math.log2(left + 1) / Math.log2(most + 1), 0.02);
  return (
    <div>
      <h3>{t("inspector.steps")}</h3>
      <ol class="steps">
        <li>
          <span class="step-name">{t("inspector.step.model")}</span>
          <span class="step-funnel">
            <span class="step-width" style={{ inlineSize: "100%" }} />
            <span class="step-left">{t("inspector.step.all")}</span>
          </span>
          <span class="step-share">{percent(Math.exp(token.logprob))}</span>
        </li>
        {token.steps.map(({ step, left, probability }, i) => (
          <li key={i}>
            <span class="step-name">{nameOf(step)}</span>
            <span class="step-funnel">
              <span class="step-width" style={{ inlineSize: `${100 * width(left)}%` }} />
              <span class="step-left">{formatNumber(left)}</span>
            </span>
            <span class="step-share">{percent(probability)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function nameOf(step: string): string {
  const key = `inspector.step.${step}`;
  return key in en ? t(key as Key) : step;
}
