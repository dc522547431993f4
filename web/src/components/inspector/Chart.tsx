// A chart of the last two minutes. Lines differ by their dashes as well as by their colours.

export interface Series {
  label: string;
  values: readonly number[];
}

interface Props {
  title: string;
  /** What it is now, in words. */
  value: string;
  top: number;
  write: (value: number) => string;
  series: readonly Series[];
}

const SECONDS = 120;
const HEIGHT = 60;

export function Chart({ title, value, top, write, series }: Props) {
  const y = (each: number) => HEIGHT * (1 - Math.max(0, Math.min(each / (top || 1), 1)));
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <strong>{value}</strong>
      </figcaption>
      <div class="chart-plot">
        <svg
          viewBox={`0 -1 ${SECONDS - 1} ${HEIGHT + 2}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${series.map(({ label, values }) => `${label} ${write(values.at(-1) ?? 0)}`).join(", ")}`}
        >
          {[0.25, 0.5, 0.75].map((share) => (
            <path key={share} class="chart-grid" d={`M0 ${HEIGHT * share}H${SECONDS - 1}`} />
          ))}
          {series.map(({ label, values }, i) => {
            const from = SECONDS - values.length;
            const line = values.map((each, at) => `${at ? "L" : "M"}${from + at} ${y(each).toFixed(2)}`).join("");
            return (
              <g key={label}>
                <path class={`chart-area chart-area-${i}`} d={`${line}V${HEIGHT}H${from}Z`} />
                <path class={`chart-line chart-line-${i}`} d={line} />
              </g>
            );
          })}
        </svg>
        <span class="chart-top">{write(top)}</span>
      </div>
      {series.length > 1 && (
        <p class="keys-line">
          {series.map(({ label, values }, i) => (
            <span key={label} class={`key key-series-${i}`}>
              {label} <b>{write(values.at(-1) ?? 0)}</b>
            </span>
          ))}
        </p>
      )}
    </figure>
  );
}
