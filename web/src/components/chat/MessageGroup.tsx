// A few messages that follow each other: what is far away is skipped by groups (see Transcript.tsx).

import { type Signal, signal } from "@preact/signals";
import { useContext, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { OpenConversation } from "../../state/conversation.ts";
import { estimate } from "./estimate.ts";
import { MessageView } from "./MessageView.tsx";
import { NearContext } from "./near.ts";

interface Props {
  conversation: OpenConversation;
  ids: readonly number[];
  /** From which on they are near the end, where a conversation opens: drawn whole at once, so that nothing moves. */
  nearFrom: number;
  /** The conversation's last message. */
  last: number | undefined;
}

export function MessageGroup({ conversation, ids, nearFrom, last }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const nearness = useContext(NearContext);
  const signals = useMemo(() => new Map<number, Signal<boolean>>(), []);
  const current = useRef(ids);
  current.current = ids;
  ids.forEach((id, i) => {
    if (!signals.has(id)) signals.set(id, signal(i >= nearFrom));
  });
  useLayoutEffect(() => nearness?.watch(element.current!, () => current.current.map((id) => signals.get(id)!)), []);
  const height = useMemo(() => heightOf(conversation, ids), [ids]);
  return (
    <div ref={element} class="message-group" style={{ containIntrinsicBlockSize: `auto ${height}px` }}>
      {ids.map((id) => (
        <MessageView key={id} conversation={conversation} id={id} near={signals.get(id)!} last={id === last} />
      ))}
    </div>
  );
}

function heightOf(conversation: OpenConversation, ids: readonly number[]): number {
  let height = 0;
  for (const id of ids) {
    const message = conversation.message(id)?.peek();
    if (message) height += estimate(message.content, message.role);
  }
  return height;
}
