// Files that a person adds to a message. The server reads their text; what it can't read, or what is plainly no text,
// is refused with the reason.

import { signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { addAttachment } from "../api/routes.ts";
import { toBase64 } from "./files.ts";
import { formatBytes, t } from "../i18n/index.ts";
import { attachTo, type Owner } from "./drafts.ts";
import { notify } from "./notices.ts";

export interface Upload {
  key: number;
  owner: Owner;
  name: string;
}

const LARGEST = 20_000_000; // bytes
export const uploads = signal<readonly Upload[]>([]);
let lastKey = 0;

/** Why it can't be used, or null. */
export function objection(file: Pick<File, "name" | "type" | "size">): string | null {
  if (file.type.startsWith("image/")) return t("attachment.image");
  if (/^(audio|video)\//.test(file.type)) return t("attachment.media", { name: file.name });
  if (file.size > LARGEST) return t("attachment.large", { name: file.name, limit: formatBytes(LARGEST) });
  if (file.size === 0) return t("attachment.nothing", { name: file.name });
  return null;
}

/** `temporary`: for a chat that is; the server keeps its files in memory alone. */
export async function upload(files: Iterable<File>, owner: Owner, temporary: boolean) {
  const reasons = new Set<string>();
  const accepted: File[] = [];
  for (const file of files) {
    const reason = objection(file);
    if (reason) reasons.add(reason);
    else accepted.push(file);
  }
  for (const reason of reasons) notify(reason, { kind: "error" });
  await Promise.all(accepted.map((file) => uploadOne(file, owner, temporary)));
}

async function uploadOne(file: File, owner: Owner, temporary: boolean) {
  const entry: Upload = { key: ++lastKey, owner, name: file.name };
  uploads.value = [...uploads.value, entry];
  try {
    attachTo(owner, await addAttachment(file.name, await toBase64(file), temporary));
  } catch (error) {
    const reason = error instanceof ApiError && !error.unreachable ? error.message : t("error.unreachable");
    notify(t("attachment.failed", { name: file.name, reason }), { kind: "error" });
  } finally {
    uploads.value = uploads.value.filter((each) => each !== entry);
  }
}
