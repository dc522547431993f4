// The inspector's tabs, one record each. What is of a reply is shown only where there is a recording of one.

import type { FunctionComponent } from "preact";
import type { Key } from "../../i18n/index.ts";
import type { Reply } from "../../state/inspector.ts";
import { Attention } from "./Attention.tsx";
import { DeviceLive } from "./DeviceLive.tsx";
import { Layers } from "./Layers.tsx";
import { Memory } from "./Memory.tsx";
import { Model } from "./Model.tsx";
import { Prompt } from "./Prompt.tsx";
import { Timeline } from "./Timeline.tsx";
import { Tokens } from "./Tokens.tsx";

type Tab = { id: string; label: Key } & (
  { ofReply: FunctionComponent<{ reply: Reply }> } | { ofServer: FunctionComponent }
);

export const tabs: readonly Tab[] = [
  { id: "tokens", label: "inspector.tokens", ofReply: Tokens },
  { id: "prompt", label: "inspector.prompt", ofReply: Prompt },
  { id: "layers", label: "inspector.layers", ofReply: Layers },
  { id: "attention", label: "inspector.attention", ofReply: Attention },
  { id: "timeline", label: "inspector.timeline", ofReply: Timeline },
  { id: "model", label: "inspector.model", ofServer: Model },
  { id: "memory", label: "inspector.memory", ofServer: Memory },
  { id: "device", label: "inspector.device", ofServer: DeviceLive },
];
