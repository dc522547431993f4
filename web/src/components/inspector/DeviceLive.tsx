// How the device fares, the last two minutes of it.

import { en } from "../../i18n/en.ts";
import { formatBytes, formatNumber, type Key, t } from "../../i18n/index.ts";
import type { Device } from "../../api/inspector.ts";
import { roundUp } from "../../inspector/bins.ts";
import { devices } from "../../state/inspector.ts";
import { Chart, type Series } from "./Chart.tsx";
import { Fact, Note } from "./Parts.tsx";
import { percent } from "./words.ts";

const sum = <T,>(all: readonly T[], of: (each: T) => number) => all.reduce((total, each) => total + of(each), 0);

export function DeviceLive() {
  const all = devices.value;
  const now = all.at(-1);
  if (!now) return <Note>{t("loading")}</Note>;
  const series = (label: string, of: (each: Device) => number): Series => ({ label, values: all.map(of) });
  const speed = (each: Device) => sum(each.models, (model) => model.tokens_per_second);
  const used = now.memory.total - now.memory.available;
  const pressed = now.pressure && all.every((each) => each.pressure !== null);
  return (
    <div class="device">
      <p class="hint device-span">{t("inspector.device.span")}</p>
      <Chart
        title={t("inspector.device.cpu")}
        value={t("inspector.device.cores", { n: formatNumber(now.cpu.machine, undefined, 1), of: now.cpu.cores })}
        top={now.cpu.cores}
        write={(value) => formatNumber(value, undefined, 1)}
        series={[
          series(t("inspector.device.machine"), (each) => each.cpu.machine),
          series("Ingle", (each) => each.cpu.ingle),
        ]}
      />
      <Chart
        title={t("inspector.device.speed")}
        value={t("report.speed", { speed: formatNumber(speed(now), undefined, 1) })}
        top={roundUp(Math.max(...all.map(speed)))}
        write={(value) => formatNumber(value, undefined, 1)}
        series={[series(t("inspector.device.speed"), speed)]}
      />
      <Chart
        title={t("inspector.device.memory")}
        value={t("inspector.device.memory.of", { used: formatBytes(used), all: formatBytes(now.memory.total) })}
        top={now.memory.total}
        write={formatBytes}
        series={[
          series(t("inspector.device.machine"), (each) => each.memory.total - each.memory.available),
          series("Ingle", (each) => each.memory.server + sum(each.memory.engines, ({ bytes }) => bytes ?? 0)),
        ]}
      />
      {pressed ? (
        <Chart
          title={t("inspector.device.pressure")}
          value={percent(Math.max(now.pressure!.cpu, now.pressure!.memory, now.pressure!.io))}
          top={Math.max(0.1, roundUp(Math.max(...all.map(({ pressure: p }) => Math.max(p!.cpu, p!.memory, p!.io)))))}
          write={percent}
          series={[
            series(t("inspector.device.cpu"), (each) => each.pressure!.cpu),
            series(t("inspector.device.memory"), (each) => each.pressure!.memory),
            series(t("inspector.device.io"), (each) => each.pressure!.io),
          ]}
        />
      ) : (
        <div class="chart">
          <h3>{t("inspector.device.pressure")}</h3>
          <Note>{t("inspector.device.noPressure")}</Note>
        </div>
      )}
      <Chart
        title={t("inspector.device.queue")}
        value={formatNumber(sum(now.models, ({ waiting }) => waiting))}
        top={roundUp(Math.max(4, ...all.map((each) => sum(each.models, (model) => model.running + model.waiting))))}
        write={(value) => formatNumber(value)}
        series={[
          series(t("inspector.device.running"), (each) => sum(each.models, ({ running }) => running)),
          series(t("inspector.device.waiting"), (each) => sum(each.models, ({ waiting }) => waiting)),
        ]}
      />
      {now.models.map((model) => (
        <Model key={model.model} model={model} engine={now.memory.engines} />
      ))}
    </div>
  );
}

/** Why less of the device is taken. */
function reasonOf(reason: string): string {
  const key = `inspector.device.reason.${reason}`;
  return key in en ? t(key as Key) : reason;
}

function Model({ model, engine }: { model: Device["models"][number]; engine: Device["memory"]["engines"] }) {
  const bytes = engine.find((each) => each.model === model.model)?.bytes;
  return (
    <section class="chart">
      <h3>{model.model}</h3>
      <dl class="facts">
        {bytes != null && <Fact name={t("inspector.device.process")}>{formatBytes(bytes)}</Fact>}
        <Fact name={t("inspector.device.state")} title={t("inspector.device.state.help")}>
          {formatBytes(model.state_bytes)} / {formatBytes(model.state_limit_bytes)}
        </Fact>
        <Fact name={t("inspector.device.prefixes")} title={t("inspector.device.prefixes.help")}>
          {formatNumber(model.kept_prefixes)}
        </Fact>
        <Fact name={t("report.threads")}>{formatNumber(model.pace.threads)}</Fact>
      </dl>
      {model.pace.reasons.length > 0 && (
        <p class="hint">
          {t("inspector.device.slower")} {model.pace.reasons.map(reasonOf).join(", ")}
        </p>
      )}
    </section>
  );
}
