// The timeline as tracks on a canvas. The wheel zooms, dragging moves; so do the keys. What is pointed at is told below.

import { useEffect, useRef, useState } from "preact/hooks";
import { formatNumber, t } from "../../i18n/index.ts";
import { familyOf, gbps, gops, seen, sliceAt, type Trace, type Track } from "../../inspector/trace.ts";
import { IconButton } from "../IconButton.tsx";
import { Minus, Plus, Fit } from "../icons.tsx";
import { touch } from "../media.ts";
import { type Pen, useCanvas } from "./canvas.ts";
import { duration, rate } from "./words.ts";

type Span = readonly [number, number];

interface Props {
  trace: Trace;
  span: Span;
  show: (span: [number, number]) => void;
}

const RULER = 20; // pixels
const RUNS = 22;
const WORKER = 34;
const LEAST = 2; // microseconds

export function TraceView({ trace, span, show }: Props) {
  const [from, to] = span;
  const [over, setOver] = useState<{ track: number; slice: number } | null>(null);
  const drag = useRef<{ x: number; span: Span } | null>(null);
  const tracks = trace.tracks;
  const heightOf = (track: Track) => (track.tid === 0 ? RUNS : WORKER);
  const height = RULER + tracks.reduce((sum, track) => sum + heightOf(track) + 4, 0);
  const canvas = useCanvas(
    (pen) => {
      ruler(pen, from, to, trace.from);
      let y = RULER;
      tracks.forEach((track, i) => {
        drawTrack(pen, trace, track, [from, to], y, heightOf(track), over?.track === i ? over.slice : -1);
        y += heightOf(track) + 4;
      });
    },
    [trace, from, to, over],
  );

  const move = (next: Span) => show(bounded(next, trace));
  const zoom = (factor: number, share = 0.5) => {
    const at = from + (to - from) * share;
    move([at - (at - from) * factor, at + (to - at) * factor]);
  };
  const pan = (share: number) => move([from + (to - from) * share, to + (to - from) * share]);
  const shareOf = (event: MouseEvent) => event.offsetX / canvas.current!.clientWidth;

  // The page does not scroll where the wheel zooms: a listener that may prevent it, which an attribute's is not.
  const wheel = useRef<(event: WheelEvent) => void>(() => {});
  wheel.current = (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 800);
    else zoom(Math.exp(event.deltaY / 300), shareOf(event));
  };
  useEffect(() => {
    const listen = (event: WheelEvent) => wheel.current(event);
    canvas.current!.addEventListener("wheel", listen, { passive: false });
    return () => canvas.current?.removeEventListener("wheel", listen);
  }, []);

  const point = (event: PointerEvent) => {
    if (drag.current) {
      const [a, b] = drag.current.span;
      const moved = ((drag.current.x - event.clientX) / canvas.current!.clientWidth) * (b - a);
      return move([a + moved, b + moved]);
    }
    setOver(hit(tracks, heightOf, event.offsetY, from + (to - from) * shareOf(event), (to - from) / 400));
  };
  return (
    <div class="trace">
      <canvas
        ref={canvas}
        class="trace-canvas"
        role="application"
        tabIndex={0}
        aria-label={t("inspector.timeline.label")}
        aria-describedby="trace-help"
        style={{ blockSize: `${height}px` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, span };
        }}
        onPointerMove={point}
        onPointerUp={() => (drag.current = null)}
        onPointerCancel={() => (drag.current = null)}
        onPointerLeave={() => setOver(null)}
        onDblClick={(event) => zoom(0.25, shareOf(event))}
        onKeyDown={(event) => {
          const act = {
            ArrowLeft: () => pan(-0.15),
            ArrowRight: () => pan(0.15),
            ArrowUp: () => zoom(0.7),
            ArrowDown: () => zoom(1 / 0.7),
            "+": () => zoom(0.7),
            "=": () => zoom(0.7),
            "-": () => zoom(1 / 0.7),
            Home: () => move([trace.from, trace.to]),
            "0": () => move([trace.from, trace.to]),
          }[event.key];
          if (!act || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          act();
        }}
      />
      <div class="trace-foot">
        <p class="trace-told" id="trace-help">
          {over ? (
            <Told trace={trace} track={tracks[over.track]!} slice={over.slice} />
          ) : (
            t(touch.value ? "inspector.timeline.touch" : "inspector.timeline.help")
          )}
        </p>
        <IconButton icon={Minus} size={17} label={t("inspector.timeline.out")} onClick={() => zoom(2)} />
        <IconButton icon={Plus} size={17} label={t("inspector.timeline.in")} onClick={() => zoom(0.5)} />
        <IconButton
          icon={Fit}
          size={17}
          label={t("inspector.timeline.fit")}
          onClick={() => move([trace.from, trace.to])}
        />
      </div>
    </div>
  );
}

function bounded([from, to]: Span, trace: Trace): [number, number] {
  const all = Math.max(trace.to - trace.from, LEAST);
  const length = Math.max(Math.min(to - from, all), LEAST);
  const middle = (from + to) / 2;
  const begin = Math.max(trace.from, Math.min(middle - length / 2, trace.from + all - length));
  return [begin, begin + length];
}

function hit(
  tracks: readonly Track[],
  heightOf: (track: Track) => number,
  y: number,
  time: number,
  slack: number,
): { track: number; slice: number } | null {
  let top = RULER;
  for (let i = 0; i < tracks.length; ++i) {
    const bottom = top + heightOf(tracks[i]!);
    if (y >= top && y < bottom) {
      const slice = sliceAt(tracks[i]!, time, slack);
      return slice < 0 ? null : { track: i, slice };
    }
    top = bottom + 4;
  }
  return null;
}

function ruler({ context, width, colour, font }: Pen, from: number, to: number, zero: number) {
  const rough = ((to - from) * 90) / width;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  context.font = font(10.5);
  context.textBaseline = "middle";
  for (let at = Math.ceil((from - zero) / step) * step; at <= to - zero; at += step) {
    const x = ((at + zero - from) / (to - from)) * width;
    context.fillStyle = colour("--line");
    context.fillRect(x, 0, 1, 4000);
    context.fillStyle = colour("--text-soft");
    context.fillText(duration(at), x + 4, RULER / 2);
  }
}

function drawTrack(
  { context, width, colour, font }: Pen,
  trace: Trace,
  track: Track,
  [from, to]: Span,
  y: number,
  height: number,
  over: number,
) {
  context.fillStyle = colour("--cell");
  context.fillRect(0, y, width, height);
  context.font = font(11);
  context.textBaseline = "middle";
  for (const { x, width: wide, slice } of seen(track, from, to, width)) {
    const name = trace.names[track.names[slice]!]!;
    const family = track.tid === 0 ? "run" : familyOf(name);
    const low = family === "wait" ? height / 2 - 2 : 0;
    const tall = family === "wait" ? 4 : height;
    context.fillStyle = colour(`--family-${family}`);
    // Neighbours of one family are told apart by two shades of it.
    context.globalAlpha = track.names[slice]! % 2 && family !== "run" ? 0.78 : 1;
    context.fillRect(x, y + low, wide > 3 ? wide - 0.75 : wide, tall);
    context.globalAlpha = 1;
    if (slice === over) {
      context.strokeStyle = colour("--text");
      context.lineWidth = 1.5;
      context.strokeRect(x + 0.75, y + 0.75, Math.max(wide - 1.5, 1), height - 1.5);
    }
    if (wide < 26 || family === "wait") continue;
    const label = fitted(context, labelOf(trace, track, slice), wide - 8);
    if (!label) continue;
    context.fillStyle = colour("--on-kind");
    context.fillText(label, x + 4, y + height / 2 + 0.5);
  }
}

function labelOf(trace: Trace, track: Track, slice: number): string {
  if (track.tid === 0) return t("report.tokens", { n: trace.runs[slice]?.tokens ?? 0 });
  const { layer } = trace.operations[track.operations[slice]!] ?? { layer: null };
  const name = trace.names[track.names[slice]!]!;
  return layer === null ? name : `${name} · ${layer}`;
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  for (let length = Math.min(text.length - 1, Math.floor(width / 4)); length > 1; --length) {
    const cut = `${text.slice(0, length)}…`;
    if (context.measureText(cut).width <= width) return cut;
  }
  return "";
}

function Told({ trace, track, slice }: { trace: Trace; track: Track; slice: number }) {
  const name = trace.names[track.names[slice]!]!;
  const took = duration(track.to[slice]! - track.from[slice]!);
  const operation = trace.operations[track.operations[slice]!];
  if (!operation) {
    const tokens = track.tid === 0 ? trace.runs[slice]?.tokens : undefined;
    return (
      <>
        <strong>{track.tid === 0 ? t("inspector.timeline.run") : t("inspector.timeline.wait")}</strong> {took}
        {tokens !== undefined && ` · ${t("report.tokens", { n: tokens })}`}
      </>
    );
  }
  const us = operation.to - operation.from;
  return (
    <>
      <strong>{name}</strong> {took}
      {operation.layer !== null && ` · ${t("inspector.layers.layer")} ${operation.layer}`}
      {` · ${t("inspector.timeline.rows", { n: operation.rows })}`}
      {operation.bytes > 0 && ` · ${rate(gbps(operation.bytes, us))} GB/s`}
      {operation.macs > 0 && ` · ${rate(gops(operation.macs, us))} GOPS`}
      {` · ${t("inspector.timeline.all", { time: duration(us) })}`}
      {operation.run >= 0 && ` · ${t("inspector.timeline.run")} ${formatNumber(operation.run + 1)}`}
    </>
  );
}
