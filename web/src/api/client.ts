/** Requests to the API. Whatever goes wrong with one becomes a `Problem`, which the page can show. */

import type { paths } from "./openapi.ts";

/** What the OpenAPI document says of a GET that answers with JSON. */
interface JsonGet {
  parameters: { path?: unknown; query?: unknown };
  responses: { 200: { content: { "application/json": unknown } } };
}

/** The paths that answer a GET with JSON. */
export type Path = { [P in keyof paths]: paths[P] extends { get: JsonGet } ? P : never }[keyof paths];
type Get<P extends Path> = paths[P] extends { get: infer G extends JsonGet } ? G : never;
export type Answer<P extends Path> = Get<P>["responses"][200]["content"]["application/json"];
/** What fills the path's `{names}`, and the query. */
export type Parameters<P extends Path> = Pick<Get<P>["parameters"], "path" | "query">;

interface ListPage<T> {
  items: T[];
  next_cursor: string | null;
}

/** The paths of lists that come in pages. */
export type ListPath = { [P in Path]: Answer<P> extends ListPage<unknown> ? P : never }[Path];
export type Item<P extends ListPath> = Answer<P> extends { items: (infer I)[] } ? I : never;

/** The largest page that the API gives. */
export const PAGE_LIMIT = 10_000;

export type ProblemKind = "unreachable" | "refused" | "malformed";

/** Why a request brought nothing to show: no answer, an error as the answer, or an answer that cannot be read.
 *
 * `status` is 0 without an answer. `detail` is the API's own sentence, or what is wrong with the answer; it may be empty.
 */
export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail || `${kind}, status ${status}`);
  }
}

/** The address of a request: query parameters in order, lists repeated. */
export function addressOf<P extends Path>(path: P, parameters: Parameters<P>): string {
  const { path: names = {}, query = {} } = parameters as {
    path?: Record<string, string>;
    query?: Record<string, string | number | string[] | null | undefined>;
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined) {
        search.append(name, String(each));
      }
    }
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

/** Send a request.
 *
 * @throws Problem the API refuses, or does not answer.
 */
export async function send(url: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    throw isAbort(error) ? error : new Problem("unreachable", 0, "");
  }
  if (!response.ok) {
    throw new Problem("refused", response.status, await detailOf(response));
  }
  return response;
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** The `detail` of problem details (RFC 9457); empty if the response has none. */
async function detailOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : "";
  } catch {
    return "";
  }
}

/** GET a JSON object.
 *
 * @throws Problem the API refuses, does not answer, or answers with something else.
 */
export async function getJson<P extends Path>(
  path: P,
  parameters: Parameters<P>,
  signal?: AbortSignal,
): Promise<Answer<P>> {
  const response = await send(addressOf(path, parameters), {
    headers: { Accept: "application/json" },
    ...(signal ? { signal } : {}),
  });
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new Problem("malformed", response.status, `${path}: ${error.message}`);
    }
    throw isAbort(error) ? error : new Problem("unreachable", 0, "");
  }
  if (typeof body !== "object" || body === null) {
    throw new Problem("malformed", response.status, `${path}: not a JSON object`);
  }
  return body as Answer<P>;
}

/** GET every page of a list; the items of each are handed over as they arrive.
 *
 * @throws Problem as `getJson`, or a page has no items.
 */
export async function getPages<P extends ListPath>(
  path: P,
  parameters: Parameters<P>,
  onItems: (items: Item<P>[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { query = {}, ...rest } = parameters as { query?: object };
  let cursor: string | null = null;
  do {
    const next = { ...rest, query: { ...query, limit: PAGE_LIMIT, ...(cursor === null ? {} : { cursor }) } };
    const page = (await getJson(path, next as Parameters<P>, signal)) as Partial<ListPage<Item<P>>>;
    if (!Array.isArray(page.items)) {
      throw new Problem("malformed", 200, `${path}: a page without items`);
    }
    onItems(page.items);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
}

/** Trade a one-time token for a session's cookie.
 *
 * @throws Problem the token is spent, or the API does not answer.
 */
export async function signIn(token: string): Promise<void> {
  await send("/v1/sessions", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
}

/** End the session. */
export async function signOut(): Promise<void> {
  await send("/v1/sessions/current", { method: "DELETE" });
}
