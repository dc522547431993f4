// Where the inspector stands: beside the chat, or on a page of its own where there is no room. Its code comes when it is
// opened, and no sooner.

import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { t } from "../../i18n/index.ts";
import { recall, remember } from "../../state/storage.ts";
import { notifyError } from "../../state/notices.ts";
import { wide } from "../media.ts";

const LEAST = 30; // percent of the width that it shares with the chat
const MOST = 75;
const STEP = 4;

const share = signal(bounded(Number(recall("ingle.inspector.width") ?? 52)));

let loaded: FunctionComponent | null = null;

export function InspectorFrame() {
  const [Inspector, setInspector] = useState<FunctionComponent | null>(() => loaded);
  useEffect(() => {
    if (loaded) return;
    import("./Inspector.tsx").then((module) => {
      loaded = module.Inspector;
      setInspector(() => loaded);
    }, notifyError);
  }, []);
  return (
    <>
      {wide.value && <Divider />}
      <section
        class="inspector"
        aria-label={t("inspector.title")}
        style={wide.value ? { flexBasis: `${share.value}%` } : {}}
      >
        {Inspector ? <Inspector /> : <p class="hint inspector-coming">{t("loading")}</p>}
      </section>
    </>
  );
}

/** What is dragged, or moved by arrows, to share the width otherwise. */
function Divider() {
  const element = useRef<HTMLDivElement>(null);
  const set = (value: number) => {
    share.value = bounded(value);
    remember("ingle.inspector.width", String(Math.round(share.value)));
  };
  const drag = (event: PointerEvent) => {
    if (!element.current!.hasPointerCapture(event.pointerId)) return;
    const { right, width } = element.current!.parentElement!.getBoundingClientRect();
    set(((right - event.clientX) / width) * 100);
  };
  return (
    <div
      ref={element}
      class="divider"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t("inspector.divider")}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={Math.round(share.value)}
      onPointerDown={(event) => {
        event.preventDefault();
        element.current!.setPointerCapture(event.pointerId);
      }}
      onPointerMove={drag}
      onDblClick={() => set(52)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        set(share.value + step);
      }}
    />
  );
}

function bounded(value: number): number {
  return Number.isFinite(value) ? Math.max(LEAST, Math.min(MOST, value)) : 52;
}
