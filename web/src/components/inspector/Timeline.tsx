// When each operation ran: runs of the model and what each worker did in them, and a table of what each kind took.

import { useEffect, useMemo, useState } from "preact/hooks";
import { formatBytes, formatNumber, t } from "../../i18n/index.ts";
import { getTimeline } from "../../api/inspector.ts";
import { familyOf, readTrace, tableOf, type Trace, type TraceFile, waitingIn } from "../../inspector/trace.ts";
import { recordTimeline, type Reply } from "../../state/inspector.ts";
import { save } from "../../state/files.ts";
import { Download, Refresh } from "../icons.tsx";
import { useFetched } from "./fetched.ts";
import { Bar, Note, RecordNext } from "./Parts.tsx";
import { TraceView } from "./TraceView.tsx";
import { duration, percent, rate } from "./words.ts";

interface Loaded {
  file: Blob;
  trace: Trace;
}

async function load(message: number, signal: AbortSignal): Promise<Loaded> {
  const file = await getTimeline(message, signal);
  return { file, trace: readTrace(JSON.parse(await file.text()) as TraceFile) };
}

export function Timeline({ reply }: { reply: Reply }) {
  const { timeline, finish } = reply.head.value;
  const [again, setAgain] = useState(0);
  const key = timeline ? `${reply.id} ${finish ?? ""} ${again}` : null;
  const { value, missing, problem, loading } = useFetched(key, (signal) => load(reply.id, signal));
  if (!timeline || missing) return <NoTimeline reply={reply} />;
  if (problem) return <Note>{problem}</Note>;
  if (!value) return <Note>{t("loading")}</Note>;
  return (
    <div class={`timeline ${loading ? "fading" : ""}`}>
      <div class="timeline-bar">
        <p class="hint">
          {t("inspector.timeline.what", {
            n: value.trace.runs.length,
            time: duration(value.trace.to - value.trace.from),
          })}
          {value.trace.droppedRuns > 0 && ` ${t("inspector.timeline.dropped", { n: value.trace.droppedRuns })}`}
        </p>
        <span class="page-header-space" />
        {finish === null && (
          <button type="button" class="button button-small" onClick={() => setAgain(again + 1)}>
            <Refresh size={15} /> {t("inspector.timeline.again")}
          </button>
        )}
        <button
          type="button"
          class="button button-small"
          title={t("inspector.timeline.save.help", { size: formatBytes(value.file.size) })}
          onClick={() => save(value.file, `ingle-${reply.id}-trace.json`)}
        >
          <Download size={15} /> {t("inspector.timeline.save")}
        </button>
      </div>
      <Views trace={value.trace} />
    </div>
  );
}

const NoTimeline = ({ reply }: { reply: Reply }) => (
  <Note>
    {t("inspector.timeline.none")}
    <RecordNext id={reply.id} setting={recordTimeline} label={t("inspector.recordTimeline")} />
  </Note>
);

/** What is seen of it, and the table of that. */
function Views({ trace }: { trace: Trace }) {
  const [span, setSpan] = useState<[number, number]>(() => beginning(trace));
  const [counted, setCounted] = useState(span);
  useEffect(() => setSpan(beginning(trace)), [trace]);
  // The table follows once the view stands still.
  useEffect(() => {
    const timer = setTimeout(() => setCounted(span), 120);
    return () => clearTimeout(timer);
  }, [span]);
  return (
    <>
      <TraceView trace={trace} span={span} show={setSpan} />
      <Operations trace={trace} from={counted[0]} to={counted[1]} />
    </>
  );
}

const FIRST_RUNS = 4;

/** Some runs are enough to begin with, where there are many: all of them are a blur. */
function beginning({ runs, from, to }: Trace): [number, number] {
  if (runs.length <= FIRST_RUNS) return [from, Math.max(to, from + 1)];
  const at = Math.max(
    runs.findIndex(({ tokens }) => tokens === 1),
    0,
  );
  const last = runs[Math.min(at + FIRST_RUNS, runs.length) - 1]!;
  return [runs[at]!.from, last.to];
}

function Operations({ trace, from, to }: { trace: Trace; from: number; to: number }) {
  const rows = useMemo(() => tableOf(trace, from, to), [trace, from, to]);
  const waiting = useMemo(() => waitingIn(trace, from, to), [trace, from, to]);
  const most = rows[0]?.share ?? 1;
  return (
    <div class="operations-frame" tabIndex={0} role="region" aria-label={t("inspector.timeline.table")}>
      <table class="operations">
        <caption>
          {t("inspector.timeline.table")} · {duration(to - from)} ·{" "}
          {t("inspector.timeline.waited", { percent: percent(waiting) })}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("inspector.timeline.operation")}</th>
            <th scope="col">{t("inspector.timeline.calls")}</th>
            <th scope="col">{t("inspector.time")}</th>
            <th scope="col">{t("inspector.timeline.share")}</th>
            <td class="operations-bar" />
            <th scope="col">GB/s</th>
            <th scope="col">GOPS</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">
                <span class={`swatch swatch-${familyOf(row.name)}`} />
                {row.name}
              </th>
              <td>{formatNumber(row.calls)}</td>
              <td>{duration(row.us)}</td>
              <td>{percent(row.share)}</td>
              <td class="operations-bar">
                <Bar share={row.share / most} />
              </td>
              <td>{rate(row.gbps)}</td>
              <td>{rate(row.gops)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
