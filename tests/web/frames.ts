// How many frames a page misses, counted as in tests/responsiveness: by what the browser's own trace tells of each.

import type { Page } from "playwright-core";
import { theBrowser } from "./support.ts";

interface TraceEvent {
  name: string;
  ph: string;
  ts: number;
  pid: number;
  id2?: { local: string };
  args: Record<string, Record<string, unknown>>;
}

export interface Frames {
  seconds: number;
  shown: number;
  missed: number;
  /** Of all frames that had something to show. */
  missedShare: number;
  /** Milliseconds from one shown frame to the next, which 95 of 100 do not exceed. */
  interval95: number;
  /** Milliseconds; tasks of the main thread of 50 and more. */
  longestTask: number;
  longTasks: number;
}

/** What the trace tells of the frames while something happens. */
export async function countFrames(page: Page, meanwhile: () => Promise<unknown>): Promise<Frames> {
  await page.evaluate(() => {
    const tasks: number[] = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)));
    observer.observe({ type: "longtask" });
    Object.assign(globalThis, { tasks, observer });
  });
  const session = await (await theBrowser()).newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline.frame"], excludedCategories: ["*"] },
  });
  const began = performance.now();
  await meanwhile();
  const seconds = (performance.now() - began) / 1000;
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const tasks: number[] = await page.evaluate(() => {
    const { tasks, observer } = globalThis as unknown as { tasks: number[]; observer: PerformanceObserver };
    observer.disconnect();
    return tasks;
  });
  const { times, missed } = outcome(events);
  const shown = times.length;
  const intervals = times.slice(1).map((time, i) => time - times[i]!);
  intervals.sort((a, b) => a - b);
  return {
    seconds,
    shown,
    missed,
    interval95: intervals[Math.floor(intervals.length * 0.95)] ?? Infinity,
    missedShare: missed / Math.max(shown + missed, 1),
    longestTask: Math.max(0, ...tasks),
    longTasks: tasks.length,
  };
}

// A frame's way through the compositor is a pair of events. Shown is one that ended with all of its updates on the
// screen; missed one that had something to show, and did not in time. (Where the compositor shows its own part of a frame
// ahead of the main thread's, there is a further pair, "partial", which is neither.)
function outcome(events: TraceEvent[]): { times: number[]; missed: number } {
  const begun = new Map<string, Record<string, unknown>>();
  const times: number[] = []; // of what was shown, in milliseconds
  let missed = 0;
  for (const event of events.filter((each) => each.name === "PipelineReporter").sort((a, b) => a.ts - b.ts)) {
    const key = `${event.pid} ${event.id2?.local}`;
    if (event.ph === "b") begun.set(key, event.args["frame_reporter"] ?? event.args["chrome_frame_reporter"] ?? {});
    else {
      const report = begun.get(key);
      begun.delete(key);
      if (report?.["state"] === "STATE_PRESENTED_ALL") times.push(event.ts / 1000);
      else if (report?.["state"] === "STATE_DROPPED" && report["affects_smoothness"]) ++missed;
    }
  }
  return { times, missed };
}

/** Scrolls by script, so that every frame has something to show: up and down again, `speed` pixels a frame. */
export function scrollThrough(page: Page, seconds: number, speed: number) {
  return page.evaluate(
    ([seconds, speed]) =>
      new Promise<void>((resolve) => {
        const area = document.querySelector(".transcript")!;
        const end = performance.now() + seconds! * 1000;
        let step = -speed!;
        const frame = () => {
          area.scrollTop += step;
          if (area.scrollTop <= 0) step = speed!;
          if (performance.now() < end) requestAnimationFrame(frame);
          else resolve();
        };
        requestAnimationFrame(frame);
      }),
    [seconds, speed],
  );
}

/** Moves something, so that every frame has something to show. */
export function animate(page: Page, seconds: number) {
  return page.evaluate(
    (seconds) =>
      new Promise<void>((resolve) => {
        const area = document.querySelector<HTMLElement>(".composer")!;
        const began = performance.now();
        const frame = () => {
          const now = performance.now() - began;
          area.style.transform = `translateX(${Math.sin(now / 200) * 4}px)`;
          if (now < seconds * 1000) requestAnimationFrame(frame);
          else resolve();
        };
        requestAnimationFrame(frame);
      }),
    seconds,
  );
}

/** By the wheel: what the compositor does. */
export async function wheelThrough(page: Page, seconds: number) {
  const session = await page.context().newCDPSession(page);
  await session.send("Input.synthesizeScrollGesture", {
    x: 760,
    y: 400,
    yDistance: 1500 * seconds,
    speed: 1500,
    gestureSourceType: "mouse",
  });
  await session.detach();
}
