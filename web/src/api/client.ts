/** Requests to the API, and its refusals as sentences for people. */

import { nextLink, parseRecords } from "./csv.ts";

export type Parameters = Record<string, string | string[]>;

/** What went wrong. `status` 0: no answer came. `detail` is the API's own sentence, empty if there was none. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail || `status ${status}`);
  }
}

/** The address of a request: parameters in their order, lists repeated. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of typeof value === "string" ? [value] : value) {
      query.append(name, each);
    }
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function request(url: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new Problem(0, "");
  }
  if (!answer.ok) {
    throw new Problem(answer.status, await sentenceOf(answer));
  }
  return answer;
}

async function sentenceOf(answer: Response): Promise<string> {
  try {
    const body: unknown = await answer.json();
    return typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : "";
  } catch {
    return "";
  }
}

/** GET a JSON answer.
 *
 * @throws Problem the API refuses, or does not answer.
 */
export async function getJson<T>(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<T> {
  const answer = await request(address(path, parameters), {
    headers: { Accept: "application/json" },
    ...(signal ? { signal } : {}),
  });
  return (await answer.json()) as T;
}

/** GET every page of a list as CSV; each page is handed over as it comes.
 *
 * @throws Problem the API refuses, or does not answer.
 */
export async function getCsv(
  path: string,
  parameters: Parameters,
  onPage: (rows: Record<string, string>[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  let url: string | null = address(path, { ...parameters, limit: "10000" });
  while (url !== null) {
    const answer: Response = await request(url, { headers: { Accept: "text/csv" }, ...(signal ? { signal } : {}) });
    onPage(parseRecords(await answer.text()));
    url = sameOrigin(nextLink(answer.headers.get("Link")));
  }
}

/** A link's path and query: a proxy may have told the API another host's name than the one that the reader uses. */
function sameOrigin(link: string | null): string | null {
  if (link === null) {
    return null;
  }
  const url = new URL(link, location.href);
  return url.pathname + url.search;
}

/** Trade a one-time token for a session's cookie.
 *
 * @throws Problem the token is spent, or the API does not answer.
 */
export async function signIn(token: string): Promise<void> {
  await request("/v1/sessions", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
}

/** End the session. */
export async function signOut(): Promise<void> {
  await request("/v1/sessions/current", { method: "DELETE" });
}
