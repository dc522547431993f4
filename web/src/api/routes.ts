// One function for each route of the server that the page uses.

import { request, send } from "./client.ts";
import type {
  Attachment,
  Catalogue,
  Conversation,
  Folder,
  Hardware,
  Message,
  Parameters,
  Preset,
  Pull,
  Retention,
  SearchResult,
  State,
  Summary,
} from "./types.ts";

export type NewConversation = Partial<
  Pick<Summary, "title" | "folder" | "model" | "system" | "parameters" | "temporary">
>;
export type ConversationChange = Partial<
  Pick<Summary, "title" | "folder" | "pinned" | "model" | "system" | "parameters" | "leaf">
>;
export interface NewMessage {
  parent: number | null;
  content: string;
  attachments?: number[];
  answer?: boolean;
}
/** `error`: why no reply was begun; the message is kept all the same. */
export interface Sent {
  message: Message;
  reply: Message | null;
  error?: string | null;
}
export type ExportFormat = "json" | "markdown";

// The session
export const startSession = (code: string) => request<{ token: string }>("POST", "/app/session", { body: { code } });
export const endSession = () => request("DELETE", "/app/session");
export const getState = () => request<State>("GET", "/app/state");

// Conversations
export const listConversations = (query: { limit?: number; before?: number; folder?: number }) =>
  request<{ conversations: Summary[]; more: boolean }>("GET", `/app/conversations${parametersOf(query)}`);
export const createConversation = (body: NewConversation) => request<Summary>("POST", "/app/conversations", { body });
export const deleteAllConversations = () => request<{ deleted: number }>("DELETE", "/app/conversations");
export const getConversation = (id: number, since?: number) =>
  request<Conversation>("GET", `/app/conversations/${id}${parametersOf({ since })}`);
export const changeConversation = (id: number, body: ConversationChange) =>
  request<Summary>("PATCH", `/app/conversations/${id}`, { body });
export const deleteConversation = (id: number, keepalive = false) =>
  request("DELETE", `/app/conversations/${id}`, { keepalive });

export const getRetention = (days?: number) => request<Retention>("GET", `/app/retention${parametersOf({ days })}`);
export const changeRetention = (days: number) =>
  request<{ days: number; deleted: number }>("PATCH", "/app/retention", { body: { days } });

// Messages
export const sendMessage = (conversation: number, body: NewMessage) =>
  request<Sent>("POST", `/app/conversations/${conversation}/messages`, { body });
export const answerMessage = (id: number) => request<{ reply: Message }>("POST", `/app/messages/${id}/answer`);
export const continueMessage = (id: number) => request<{ reply: Message }>("POST", `/app/messages/${id}/continue`);
export const stopMessage = (id: number) => request("POST", `/app/messages/${id}/stop`);
export const deleteMessage = (id: number) => request("DELETE", `/app/messages/${id}`);

export const search = (q: string, limit: number, signal?: AbortSignal) =>
  request<{ results: SearchResult[] }>("GET", `/app/search${parametersOf({ q, limit })}`, signal ? { signal } : {});

// Folders and presets
export const listFolders = () => request<{ folders: Folder[] }>("GET", "/app/folders");
export const createFolder = (name: string) => request<Folder>("POST", "/app/folders", { body: { name } });
export const renameFolder = (id: number, name: string) =>
  request<Folder>("PATCH", `/app/folders/${id}`, { body: { name } });
export const deleteFolder = (id: number) => request("DELETE", `/app/folders/${id}`);
export const listPresets = () => request<{ presets: Preset[] }>("GET", "/app/presets");
export const createPreset = (body: { name: string; system: string; parameters: Parameters }) =>
  request<Preset>("POST", "/app/presets", { body });
export const deletePreset = (id: number) => request("DELETE", `/app/presets/${id}`);

// Files
export const addAttachment = (name: string, data: string, temporary: boolean) =>
  request<Attachment>("POST", "/app/attachments", { body: { name, data, temporary } });
export const getAttachment = async (id: number) => (await send("GET", `/app/attachments/${id}`)).blob();
export const getExport = async (format: ExportFormat, conversation?: number) =>
  (await send("GET", `/app/export${parametersOf({ format, conversation })}`)).blob();
export const importFile = (name: string, data: string) =>
  request<{ imported: number; skipped: number; warnings: string[] }>("POST", "/app/import", { body: { name, data } });

// Models and the machine
export const modelPath = (model: string) => `/app/models/${encodeURIComponent(model)}`;
const pullPath = (model: string) => `/app/pulls/${encodeURIComponent(model)}`;
export const getCatalogue = (context?: number) =>
  request<Catalogue>("GET", `/app/catalogue${parametersOf({ context })}`);
export const startPull = (model: string) => request<{ pulls: Pull[] }>("POST", "/app/pulls", { body: { model } });
export const pausePull = (model: string) => request("POST", `${pullPath(model)}/pause`);
export const cancelPull = (model: string) => request("DELETE", pullPath(model));
export const loadModel = (model: string) => request("POST", `${modelPath(model)}/load`);
export const unloadModel = (model: string) => request("POST", `${modelPath(model)}/unload`);
export const deleteModel = (model: string) => request("DELETE", modelPath(model));
export const getHardware = () => request<Hardware>("GET", "/app/hardware");
export const setWelcomed = () => request("POST", "/app/welcome", { body: { seen: true } });

function parametersOf(query: Record<string, string | number | undefined>): string {
  const present = Object.entries(query).filter(([, value]) => value !== undefined);
  if (!present.length) return "";
  return `?${new URLSearchParams(present.map(([key, value]) => [key, String(value)]))}`;
}
