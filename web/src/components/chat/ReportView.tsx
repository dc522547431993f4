// How a reply came to be: its speed beside it, all the rest on demand.

import { useId, useRef } from "preact/hooks";
import type { Report } from "../../api/types.ts";
import { formatNumber, t } from "../../i18n/index.ts";
import { place } from "../popover.ts";

export function ReportView({ report, model }: { report: Report | null; model: string | null }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  if (!report) return model ? <span class="report-model">{model}</span> : null;
  const speed = t("report.speed", { speed: formatNumber(report.predicted_per_second, undefined, 1) });
  return (
    <>
      <button ref={button} type="button" class="report" popoverTarget={id} title={t("report.title")}>
        {report.predicted_n > 1 ? speed : t("report.tokens", { n: report.predicted_n })}
      </button>
      <div
        id={id}
        class="report-details"
        popover="auto"
        role="dialog"
        aria-label={t("report.title")}
        onToggle={
          ((event: ToggleEvent) => {
            if (event.newState === "open") place(event.target as HTMLElement, button.current!);
          }) as never
        }
      >
        <h3>{t("report.title")}</h3>
        <dl>
          {rows(report, model).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}

function rows(report: Report, model: string | null): [string, string][] {
  const used = report.prompt_n + report.cache_n + report.predicted_n;
  const all: [string, string | null][] = [
    [t("report.model"), model],
    [t("report.device"), [report.device, report.isa].filter(Boolean).join(", ") || null],
    [t("report.threads"), formatNumber(report.threads)],
    [t("report.written"), `${t("report.tokens", { n: report.predicted_n })}, ${seconds(report.predicted_ms)}`],
    [t("report.writing"), t("report.speed", { speed: formatNumber(report.predicted_per_second, undefined, 1) })],
    [t("report.read"), `${t("report.tokens", { n: report.prompt_n })}, ${seconds(report.prompt_ms)}`],
    [t("report.reading"), t("report.speed", { speed: formatNumber(report.prompt_per_second, undefined, 1) })],
    [t("report.reused"), t("report.tokens", { n: report.cache_n })],
    [t("report.waited"), seconds(report.queue_ms)],
    [t("report.context"), `${formatNumber(used)} / ${formatNumber(report.context_length)}`],
  ];
  return all.filter((row): row is [string, string] => row[1] !== null);
}

const seconds = (milliseconds: number) =>
  t("report.seconds", { seconds: formatNumber(milliseconds / 1000, undefined, milliseconds < 10_000 ? 2 : 0) });
