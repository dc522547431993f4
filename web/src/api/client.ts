// Requests to the server that served this page. Every failure is an ApiError; status 0 means that it was not reached.

import { setToken, token } from "./token.ts";

export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;

  constructor(status: number, message: string, code: string | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }

  get unreachable() {
    return this.status === 0;
  }
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
}

export async function send(method: Method, path: string, options: RequestOptions = {}): Promise<Response> {
  const used = token.value;
  const headers = new Headers();
  if (used) headers.set("Authorization", `Bearer ${used}`);
  // Also where there is no body: a page of another origin could not send it without being asked for leave.
  if (method !== "GET") headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      keepalive: options.keepalive ?? false,
      cache: "no-store",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "The server could not be reached.", "unreachable");
  }
  if (response.ok) return response;
  // Only the token that was refused is dropped: another tab may have signed in meanwhile.
  if (response.status === 401 && used && token.value === used) setToken(null);
  throw await errorOf(response);
}

export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  try {
    const text = await response.text();
    return (text ? JSON.parse(text) : {}) as T;
  } catch {
    throw new ApiError(0, "The answer of the server broke off.", "unreachable");
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  let message = `${response.status} ${response.statusText}`.trim();
  let code: string | null = null;
  try {
    const { error } = await response.json();
    if (typeof error === "string")
      message = error; // the Ollama API's form
    else if (typeof error?.message === "string") {
      message = error.message;
      code = error.code ?? null;
    }
  } catch {
    // Not JSON: the status has to do.
  }
  return new ApiError(response.status, message, code);
}
