/** Requests to the server that the page came from. */

/** The address of the page without its hash; a static prefix is part of it. */
const ROOT = new URL("./", location.href.split("#")[0]);

const TOKEN = "stele.token";

/** What the server said no with, or that it could not be reached (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId = "",
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Whether asking again may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type QueryValue = string | number | boolean | null | undefined | readonly (string | number)[];

/** The address of something on this server: `path` starts with a slash and gets the static prefix in front. */
export function addressOf(path: string, query: Record<string, QueryValue> = {}): string {
  const url = new URL(path.replace(/^\//, ""), ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url.href;
}

/** The address of the server, as a script would name it. */
export const serverAddress = (): string => ROOT.href.replace(/\/$/, "");

/** The access token of this tab's visitor; only servers that ask for one need it. */
export const token = {
  get: (): string | null => sessionStorage.getItem(TOKEN),
  set: (value: string): void => sessionStorage.setItem(TOKEN, value),
};

function headers(extra: Record<string, string>): Record<string, string> {
  const held = token.get();
  return held ? { ...extra, authorization: `Bearer ${held}` } : extra;
}

/** Sends a request; a refusal becomes an {@link ApiError}. */
export async function send(
  method: string,
  address: string,
  options: { body?: unknown; accept?: string; range?: string; signal?: AbortSignal | undefined } = {},
): Promise<Response> {
  const extra: Record<string, string> = {};
  if (options.body !== undefined) extra["content-type"] = "application/json";
  if (options.accept) extra.accept = options.accept;
  if (options.range) extra.range = options.range;
  let response: Response;
  try {
    response = await fetch(address, {
      method,
      headers: headers(extra),
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      credentials: "same-origin",
    });
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new ApiError(0, "UNREACHABLE", "The server does not answer.");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  const id = response.headers.get("x-request-id") ?? "";
  try {
    const body = (await response.json()) as { error_code?: string; message?: string };
    return new ApiError(response.status, body.error_code ?? "", body.message ?? response.statusText, id);
  } catch {
    return new ApiError(response.status, "", response.statusText || `The server answered ${response.status}.`, id);
  }
}
