// How a tensor's numbers are spread. Counts are logarithmic: a few numbers far out are what a number format has to
// reach, and would not be seen beside millions around zero.

import { useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import type { Statistics } from "../../api/anatomy.ts";
import { significant } from "./words.ts";

const HEIGHT = 60;

export function Histogram({ statistics }: { statistics: Statistics }) {
  const { histogram, min, max, mean, deviation } = statistics;
  const [over, setOver] = useState<number | null>(null);
  const bins = histogram.length || 1;
  const most = Math.max(1, ...histogram);
  const step = (max - min) / bins;
  const x = (value: number) => (max > min ? Math.max(0, Math.min((value - min) / step, bins)) : bins / 2);
  const y = (count: number) => HEIGHT * (1 - Math.log10(count + 1) / Math.log10(most + 1));
  const bars = histogram
    .map((count, i) => (count ? `M${i} ${HEIGHT}V${y(count).toFixed(2)}h1V${HEIGHT}z` : ""))
    .join("");
  // Powers of ten, as many as are told apart.
  const ticks = Array.from({ length: Math.floor(Math.log10(most)) }, (_, i) => 10 ** (i + 1));
  const at = over === null ? null : { from: min + over * step, to: min + (over + 1) * step, count: histogram[over]! };
  return (
    <figure class="histogram">
      <div class="histogram-plot">
        <svg
          viewBox={`0 0 ${bins} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={t("model.histogram.label", {
            min: significant(min),
            max: significant(max),
            mean: significant(mean),
          })}
          onPointerMove={(event) => {
            const { left, width } = event.currentTarget.getBoundingClientRect();
            setOver(Math.max(0, Math.min(Math.floor(((event.clientX - left) / width) * bins), bins - 1)));
          }}
          onPointerLeave={() => setOver(null)}
        >
          {ticks.map((count) => (
            <path key={count} class="chart-grid" d={`M0 ${y(count)}H${bins}`} />
          ))}
          <path class="histogram-bars" d={bars} />
          <rect
            class="histogram-usual"
            x={x(mean - deviation)}
            width={x(mean + deviation) - x(mean - deviation)}
            height={HEIGHT}
          />
          {min < 0 && max > 0 && <path class="histogram-zero" d={`M${x(0)} 0V${HEIGHT}`} />}
        </svg>
        <span class="histogram-most">{formatNumber(most)}</span>
      </div>
      <p class="histogram-axis">
        <span>{significant(min)}</span>
        <span>{significant(max)}</span>
      </p>
      <figcaption class="hint">
        {at
          ? t("model.histogram.at", { from: significant(at.from), to: significant(at.to), n: at.count })
          : t("model.histogram.help")}
      </figcaption>
    </figure>
  );
}
