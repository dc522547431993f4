// The messages of the branch that is shown, and how they scroll.
//
// Long conversations stay fast by two means. Groups of messages have `content-visibility: auto`: what is far away is
// neither styled nor laid out, and takes the height it had, or at first an estimate. And a message's text is made into
// Markdown when it comes near (near.ts); until then it stands there as it is, so that the browser's own search finds it.
// Measured: with 2,000 boxes of their own the browser takes 7 ms of each frame to look which are near; with groups of
// eight, below one.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import type { OpenConversation } from "../../state/conversation.ts";
import { route } from "../../state/route.ts";
import { ArrowDown } from "../icons.tsx";
import { MessageGroup } from "./MessageGroup.tsx";
import { NearContext, useNearness } from "./near.ts";
import { useFollowing } from "./following.ts";

const AT_END = 6; // messages
const GROUP = 8; // messages

export function Transcript({ conversation }: { conversation: OpenConversation }) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const nearness = useNearness(scroller);
  const { away, jump } = useFollowing(scroller, content);
  const branch = conversation.branch.value;
  const groups = useMemo(() => grouped(branch), [branch]);
  const target = route.value.page === "chat" ? route.value.message : undefined;

  useEffect(() => {
    if (target !== undefined && conversation.loaded.value) reveal(conversation, target);
  }, [target, conversation.loaded.value]);

  return (
    <div class="transcript-frame">
      <div ref={scroller} class="transcript" tabIndex={0} role="region" aria-label={t("transcript.label")}>
        <NearContext.Provider value={nearness}>
          <div ref={content} class="transcript-content">
            {groups.map((ids, i) => (
              <MessageGroup
                key={i}
                conversation={conversation}
                ids={ids}
                nearFrom={branch.length - AT_END - i * GROUP}
                last={branch.at(-1)}
              />
            ))}
          </div>
        </NearContext.Provider>
      </div>
      {away.value && (
        <button type="button" class="jump" onClick={jump}>
          <ArrowDown size={18} />
          <span>{t("transcript.jump")}</span>
        </button>
      )}
    </div>
  );
}

function grouped(branch: readonly number[]): (readonly number[])[] {
  const groups: (readonly number[])[] = [];
  for (let i = 0; i < branch.length; i += GROUP) groups.push(branch.slice(i, i + GROUP));
  return groups;
}

/** Shows the branch that has this message, and brings it in sight. */
function reveal(conversation: OpenConversation, id: number) {
  if (!conversation.tree.peek().has(id)) return;
  if (!conversation.branch.peek().includes(id)) conversation.show(id);
  requestAnimationFrame(() => {
    const element = document.getElementById(`message-${id}`);
    element?.scrollIntoView({ block: "center" });
    element?.classList.add("message-found");
    element?.addEventListener("animationend", () => element.classList.remove("message-found"), { once: true });
  });
}
