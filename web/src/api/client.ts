/** Requests to the API. Whatever goes wrong with one becomes a `Problem`, which the page can show. */

export type Parameters = Record<string, string | string[]>;

/** The largest page that the API gives. */
export const PAGE_LIMIT = "10000";

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

/** The address of a request: parameters in order, lists repeated. */
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

/** Send a request.
 *
 * @throws Problem the API refuses, or does not answer.
 */
async function request(url: string, options: RequestInit): Promise<Response> {
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
export async function getJson<T extends object>(
  path: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<T> {
  const response = await request(address(path, parameters), {
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
  return body as T;
}

/** One page of a list. */
interface ListPage<T> {
  items: T[];
  next_cursor: string | null;
}

/** GET every page of a list; the items of each are handed over as they arrive.
 *
 * @throws Problem as `getJson`, or a page has no items.
 */
export async function getPages<T>(
  path: string,
  parameters: Parameters,
  onItems: (items: T[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  let cursor: string | null = null;
  do {
    const from: Parameters = cursor === null ? {} : { cursor };
    const page: Partial<ListPage<T>> = await getJson(path, { ...parameters, limit: PAGE_LIMIT, ...from }, signal);
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
  await request("/v1/sessions", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
}

/** End the session. */
export async function signOut(): Promise<void> {
  await request("/v1/sessions/current", { method: "DELETE" });
}
