// The inspector: of one reply how each token came to be, and of the server what it does now. It follows the server's
// stream as long as it is there, and only then is anything recorded.

import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { opened } from "../../state/conversation.ts";
import {
  branchReplies,
  recordLayers,
  recordTimeline,
  shown,
  shownId,
  startInspector,
  tab,
  writeAgain,
} from "../../state/inspector.ts";
import { inspect, inspected } from "../../state/route.ts";
import { IconButton } from "../IconButton.tsx";
import { ChevronLeft, ChevronRight, Close, Pulse, Refresh, Sliders } from "../icons.tsx";
import { wide } from "../media.ts";
import { Menu } from "../Menu.tsx";
import { keysOf } from "../shortcuts.ts";
import { Cost } from "./Cost.tsx";
import { tabs } from "./tabs.ts";
import "../../styles/inspector/index.css";

export function Inspector() {
  useEffect(startInspector, []);
  useEffect(() => {
    // What opened it is gone where it takes the chat's place.
    if (!wide.peek() && document.activeElement === document.body)
      document.querySelector<HTMLElement>(".inspector-header button")?.focus();
  }, []);
  const current = tabs.find((each) => each.id === tab.value) ?? tabs[0]!;
  return (
    <>
      <Header />
      <Cost />
      <TabList current={current.id} />
      <div
        class={`inspector-body inspector-${current.id}`}
        id="inspector-panel"
        role="tabpanel"
        aria-labelledby={`inspector-tab-${current.id}`}
        tabIndex={0}
        key={current.id}
      >
        {"ofReply" in current ? <OfReply view={current.ofReply} /> : <current.ofServer />}
      </div>
    </>
  );
}

/** The focus goes to what opens it again. */
function close() {
  inspect(null);
  requestAnimationFrame(() => document.querySelector<HTMLElement>(".inspector-button")?.focus());
}

function Header() {
  return (
    <header class="inspector-header">
      {!wide.value && <IconButton icon={ChevronLeft} label={t("inspector.back")} onClick={close} />}
      <h2>{t("inspector.title")}</h2>
      <Which />
      <span class="page-header-space" />
      <Menu
        label={t("inspector.options")}
        items={[
          option(t("inspector.recordLayers"), recordLayers),
          option(t("inspector.recordTimeline"), recordTimeline),
        ]}
      >
        <Sliders />
      </Menu>
      {wide.value && (
        <IconButton icon={Close} label={`${t("inspector.close")} (${keysOf("inspector")})`} onClick={close} />
      )}
    </header>
  );
}

const option = (label: string, setting: { value: boolean }) => ({
  label,
  switched: setting.value,
  run: () => void (setting.value = !setting.value),
});

/** Which of the branch's replies it is, and the way to the others. */
function Which() {
  const all = branchReplies.value;
  const at = all.indexOf(shownId.value ?? -1);
  if (at < 0 || all.length < 2) return null;
  const go = (to: number) => inspect(to === all.length - 1 ? "newest" : all[to]!, true);
  return (
    <div class="inspector-which">
      <IconButton
        icon={ChevronLeft}
        size={17}
        label={t("inspector.reply.previous")}
        disabled={at === 0}
        onClick={() => go(at - 1)}
      />
      <span>{t("inspector.reply.position", { at: at + 1, of: all.length })}</span>
      <IconButton
        icon={ChevronRight}
        size={17}
        label={t("inspector.reply.next")}
        disabled={at === all.length - 1}
        onClick={() => go(at + 1)}
      />
    </div>
  );
}

function TabList({ current }: { current: string }) {
  const list = useRef<HTMLDivElement>(null);
  const choose = (id: string) => {
    tab.value = id;
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  return (
    <div
      ref={list}
      class="tabs"
      role="tablist"
      aria-label={t("inspector.title")}
      onKeyDown={(event) => {
        const at = tabs.findIndex((each) => each.id === current);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        choose(tabs[(to + tabs.length) % tabs.length]!.id);
      }}
    >
      {tabs.map(({ id, label }) => (
        <button
          key={id}
          id={`inspector-tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === current}
          aria-controls="inspector-panel"
          tabIndex={id === current ? 0 : -1}
          onClick={() => (tab.value = id)}
        >
          {t(label)}
        </button>
      ))}
    </div>
  );
}

function OfReply({ view: View }: { view: Extract<(typeof tabs)[number], { ofReply: unknown }>["ofReply"] }) {
  const reply = shown.value;
  const id = shownId.value;
  if (reply) return <View key={reply.id} reply={reply} />;
  if (reply === undefined) return <p class="hint inspector-coming">{t("loading")}</p>;
  if (id === null) return <Nothing title={t("inspector.none")} body={t("inspector.none.body")} />;
  return <NotRecorded id={id} />;
}

function NotRecorded({ id }: { id: number }) {
  const message = opened.value?.message(id)?.value;
  const again = message?.parent !== null && message?.parent !== undefined;
  return (
    <Nothing title={t("inspector.notRecorded")} body={t("inspector.notRecorded.body")}>
      {again && message.state !== "writing" && (
        <button type="button" class="button button-primary" onClick={() => void writeAgain(id)}>
          <Refresh size={16} /> {t("inspector.writeAgain")}
        </button>
      )}
      {inspected.value !== "newest" && branchReplies.value.at(-1) !== id && (
        <button type="button" class="button" onClick={() => inspect("newest", true)}>
          {t("inspector.newest")}
        </button>
      )}
    </Nothing>
  );
}

function Nothing({ title, body, children }: { title: string; body: string; children?: preact.ComponentChildren }) {
  return (
    <div class="inspector-nothing">
      <Pulse size={36} />
      <h3>{title}</h3>
      <p class="hint">{body}</p>
      {children && <div class="inspector-nothing-actions">{children}</div>}
    </div>
  );
}
