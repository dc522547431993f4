// Work that may wait (formulas, highlighting), done in order and a few milliseconds per frame, so that a page full of
// it stays responsive. What fits into the current frame is done at once and never seen unfinished.

const BUDGET_MS = 8;

let jobs: (() => void)[] = [];
let spentUntil = 0;
let scheduled = false;

/** Runs the job now if time is left in this frame, otherwise in a later one. Returns a function that cancels it. */
export function whenIdle(job: () => void): () => void {
  let cancelled = false;
  jobs.push(() => {
    if (!cancelled) job();
  });
  if (!scheduled) run();
  return () => {
    cancelled = true;
  };
}

function run(): void {
  const now = performance.now();
  if (now > spentUntil + BUDGET_MS) spentUntil = now; // a new frame
  let done = 0;
  while (done < jobs.length && performance.now() - spentUntil < BUDGET_MS) jobs[done++]!();
  jobs = jobs.slice(done);
  scheduled = jobs.length > 0;
  if (scheduled) afterFrame(() => run());
}

/** Calls back when the next frame has been drawn, with the time its layout and painting took; in a hidden page, where no
 * frame is drawn, after a while. Returns a function that cancels it. */
export function afterFrame(callback: (drawing: number) => void): () => void {
  let done = false;
  const once = (drawing: number) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    callback(drawing);
  };
  const timer = setTimeout(() => once(0), 250);
  requestAnimationFrame(() => {
    const from = performance.now();
    setTimeout(() => once(performance.now() - from));
  });
  return () => {
    done = true;
    clearTimeout(timer);
  };
}
