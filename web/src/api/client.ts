/** Requests to the API. Every failure becomes a `Problem`, which the page can show. */

import type { paths } from "./openapi.ts";

/** A GET with a JSON response, in the OpenAPI document. */
interface JsonGet {
  parameters: { path?: unknown; query?: unknown };
  responses: { 200: { content: { "application/json": unknown } } };
}

/** Paths whose GET has a JSON response. */
export type Path = { [P in keyof paths]: paths[P] extends { get: JsonGet } ? P : never }[keyof paths];
type Get<P extends Path> = paths[P] extends { get: infer G extends JsonGet } ? G : never;
export type Answer<P extends Path> = Get<P>["responses"][200]["content"]["application/json"];
/** Values for the path's `{names}`, and the query. */
export type Parameters<P extends Path> = Pick<Get<P>["parameters"], "path" | "query">;

interface ListPage<T> {
  items: T[];
  next_cursor: string | null;
}

/** Paths of paged lists. */
export type ListPath = { [P in Path]: Answer<P> extends ListPage<unknown> ? P : never }[Path];
export type Item<P extends ListPath> = Answer<P> extends { items: (infer I)[] } ? I : never;

/** The largest page size that the API accepts. */
export const PAGE_LIMIT = 10_000;

export type ProblemKind = "unreachable" | "refused" | "malformed";

/** A failed request: the API is unreachable, refuses it, or sends a malformed response.
 *
 * `status` is 0 without a response. `detail` is the API's own sentence, or what is malformed; it may be empty.
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

/** Returns the address of a request: query parameters in order, lists repeated. */
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

/** Sends a request.
 *
 * @throws Problem if the API refuses or is unreachable.
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

/** Returns the `detail` of problem details (RFC 9457), or an empty text. */
async function detailOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : "";
  } catch {
    return "";
  }
}

/** Returns the JSON object at a path.
 *
 * @throws Problem if the API refuses, is unreachable, or sends anything but a JSON object.
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

/** Returns one page of a list.
 *
 * @throws Problem as `getJson`, or if the page has no items.
 */
export async function getPage<P extends ListPath>(
  path: P,
  parameters: Parameters<P>,
  signal?: AbortSignal,
): Promise<Answer<P>> {
  const page = await getJson(path, parameters, signal);
  if (!Array.isArray((page as Partial<ListPage<Item<P>>>).items)) {
    throw new Problem("malformed", 200, `${path}: a page without items`);
  }
  return page;
}

/** Reads every page of a list, and passes on the items of each as it arrives.
 *
 * @throws Problem as `getPage`.
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
    const page = (await getPage(path, next as Parameters<P>, signal)) as ListPage<Item<P>>;
    onItems(page.items);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
}

/** Exchanges a one-time token for a session cookie.
 *
 * @throws Problem if the token is used up or expired, or the API is unreachable.
 */
export async function signIn(token: string): Promise<void> {
  await send("/v1/sessions", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await send("/v1/sessions/current", { method: "DELETE" });
}
