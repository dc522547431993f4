// Where a model's memory is: its arena by phases of the computation, and the pages of its key-value cache.

import { useMemo, useState } from "preact/hooks";
import { formatBytes, formatNumber, t } from "../../i18n/index.ts";
import { type Buffer, getMemory, type MemoryMap } from "../../api/inspector.ts";
import { shown } from "../../state/inspector.ts";
import { useCanvas } from "./canvas.ts";
import { useRefreshed } from "./fetched.ts";
import { Fact, Note } from "./Parts.tsx";
import { percent } from "./words.ts";

export function Memory() {
  const model = shown.value?.head.value.model ?? null;
  const { value, missing, problem } = useRefreshed(model ?? "", (signal) => getMemory(model, signal));
  if (missing) return <Note>{t("inspector.memory.notLoaded")}</Note>;
  if (problem) return <Note>{problem}</Note>;
  if (!value) return <Note>{t("loading")}</Note>;
  const { process, weights, arena } = value;
  return (
    <div class="memory">
      <dl class="facts">
        <Fact name={t("report.model")}>{value.model}</Fact>
        {process && (
          <>
            <Fact
              name={t("inspector.memory.resident")}
              title={t("inspector.memory.resident.help", { pid: String(process.pid) })}
            >
              {formatBytes(process.resident_bytes)}
            </Fact>
            <Fact name={t("inspector.memory.peak")}>{formatBytes(process.peak_bytes)}</Fact>
          </>
        )}
        <Fact name={t("inspector.memory.weights")} title={weights.from}>
          {formatBytes(weights.bytes)}
        </Fact>
        {weights.streamed_bytes > 0 && (
          <Fact name={t("inspector.memory.streamed")}>{formatBytes(weights.streamed_bytes)}</Fact>
        )}
        <Fact name={t("inspector.memory.arena")}>{formatBytes(arena.bytes)}</Fact>
      </dl>
      <Arena arena={arena} />
      {value.state.map((state, i) => (
        <Pages key={i} state={state} />
      ))}
    </div>
  );
}

const ARENA_HEIGHT = 300;

/** Each buffer is a rectangle: across, the phases in which it lives; down, the bytes that it takes. */
function Arena({ arena }: { arena: MemoryMap["arena"] }) {
  // It is planned once: the same plan is not drawn again each second.
  const plan = useMemo(() => arena, [arena.bytes, arena.steps, arena.buffers.length]);
  const [over, setOver] = useState<Buffer | null>(null);
  const canvas = useCanvas(
    ({ context, width, height, colour, font }) => {
      context.fillStyle = colour("--cell");
      context.fillRect(0, 0, width, height);
      context.font = font(11);
      context.textBaseline = "middle";
      plan.buffers.forEach((buffer) => {
        const box = boxOf(buffer, plan, width, height);
        context.fillStyle = colour(`--kind-${kindOf(buffer.name)}`);
        context.globalAlpha = over && over !== buffer ? 0.55 : 1;
        context.fillRect(box.x, box.y, Math.max(box.width - 0.5, 0.5), Math.max(box.height - 0.5, 0.5));
        if (over === buffer) {
          context.strokeStyle = colour("--text");
          context.lineWidth = 1.5;
          context.strokeRect(box.x, box.y, box.width, box.height);
        }
        if (box.height > 13 && context.measureText(buffer.name).width < box.width - 8) {
          context.fillStyle = colour("--on-kind");
          context.fillText(buffer.name, box.x + 4, box.y + box.height / 2);
        }
      });
    },
    [plan, over],
  );
  const peak = useMemo(() => peakOf(plan), [plan]);
  return (
    <section>
      <h3>{t("inspector.memory.arena")}</h3>
      <p class="hint">
        {t("inspector.memory.arena.help", {
          buffers: plan.buffers.length,
          steps: plan.steps,
          sum: formatBytes(plan.buffers.reduce((sum, { bytes }) => sum + bytes, 0)),
          bytes: formatBytes(plan.bytes),
          percent: percent(plan.bytes ? peak / plan.bytes : 0),
        })}
      </p>
      <div class="arena">
        <canvas
          ref={canvas}
          role="img"
          aria-label={t("inspector.memory.arena.label")}
          style={{ blockSize: `${ARENA_HEIGHT}px` }}
          onPointerMove={(event) => {
            const { clientWidth, clientHeight } = event.currentTarget;
            setOver(at(plan, event.offsetX / clientWidth, event.offsetY / clientHeight));
          }}
          onPointerLeave={() => setOver(null)}
        />
      </div>
      <p class="arena-axis">
        <span>{t("inspector.memory.phases")} →</span>
        <span>
          {over
            ? `${over.name} · ${formatBytes(over.bytes)} · ${t("inspector.memory.lives", { first: over.first, last: over.last })}`
            : t("inspector.memory.point")}
        </span>
        <span>↓ {t("inspector.memory.bytes")}</span>
      </p>
    </section>
  );
}

function boxOf({ offset, bytes, first, last }: Buffer, plan: MemoryMap["arena"], width: number, height: number) {
  return {
    x: (first / plan.steps) * width,
    y: (offset / plan.bytes) * height,
    width: ((last + 1 - first) / plan.steps) * width,
    height: (bytes / plan.bytes) * height,
  };
}

function at(plan: MemoryMap["arena"], x: number, y: number): Buffer | null {
  const phase = Math.floor(x * plan.steps);
  const byte = y * plan.bytes;
  return (
    plan.buffers.find(
      (each) => each.first <= phase && phase <= each.last && each.offset <= byte && byte < each.offset + each.bytes,
    ) ?? null
  );
}

/** The most that lives at once. */
function peakOf(plan: MemoryMap["arena"]): number {
  const change = new Float64Array(plan.steps + 1);
  for (const { first, last, bytes } of plan.buffers) {
    change[first]! += bytes;
    change[Math.min(last + 1, plan.steps)]! -= bytes;
  }
  let most = 0;
  let now = 0;
  for (const each of change) most = Math.max(most, (now += each));
  return most;
}

/** One of five colours, the same for what has the same name in each layer. */
function kindOf(name: string): number {
  const kind = name.replace(/\d+/g, "");
  let hash = 0;
  for (let i = 0; i < kind.length; ++i) hash = (hash * 31 + kind.charCodeAt(i)) | 0;
  return Math.abs(hash) % 5;
}

const CELL = 13; // pixels

function Pages({ state }: { state: MemoryMap["state"][number] }) {
  const { users, capacity, page_bytes, page_positions, window } = state;
  const used = users.filter((each) => each > 0).length;
  const shared = users.filter((each) => each > 1).length;
  const [across, setAcross] = useState(32);
  const all = Math.max(capacity, users.length);
  const size = all > 4_000 ? 5 : all > 1_000 ? 8 : CELL;
  const canvas = useCanvas(
    ({ context, width, colour }) => {
      const columns = Math.max(Math.floor(width / size), 1);
      if (columns !== across) setAcross(columns);
      for (let page = 0; page < all; ++page) {
        const count = users[page] ?? 0;
        const x = (page % columns) * size;
        const y = Math.floor(page / columns) * size;
        context.fillStyle = colour(count > 1 ? "--page-shared" : count ? "--page-used" : "--cell");
        context.fillRect(x, y, size - 2, size - 2);
        if (count > 1 && size >= 8) {
          context.fillStyle = colour("--on-kind");
          context.fillRect(x + size / 2 - 2, y + size / 2 - 2, 2, 2);
        }
      }
    },
    [users.join(), all, across, size],
  );
  return (
    <section>
      <h3>{window ? t("inspector.memory.pages.window", { n: window }) : t("inspector.memory.pages")}</h3>
      <p class="hint">
        {t("inspector.memory.pages.help", {
          used,
          all,
          usedBytes: formatBytes(used * page_bytes),
          bytes: formatBytes(all * page_bytes),
          positions: page_positions,
        })}
      </p>
      <p class="keys-line">
        <span class="key key-page-used">{t("inspector.memory.pages.used", { n: formatNumber(used - shared) })}</span>
        <span class="key key-page-shared">{t("inspector.memory.pages.shared", { n: formatNumber(shared) })}</span>
        <span class="key key-page-free">{t("inspector.memory.pages.free", { n: formatNumber(all - used) })}</span>
      </p>
      <canvas
        ref={canvas}
        class="pages"
        role="img"
        aria-label={t("inspector.memory.pages.label", { used, all, shared })}
        style={{ blockSize: `${Math.ceil(all / across) * size}px` }}
      />
    </section>
  );
}
