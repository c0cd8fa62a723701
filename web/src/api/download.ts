/** Lists as CSV files for spreadsheets: all pages in one file. */

import { addressOf, type ListPath, PAGE_LIMIT, type Parameters, send } from "./client.ts";

/** Excel needs a byte order mark to show Korean. */
const CSV_FOR_SPREADSHEETS = "text/csv; bom=present";

/** A whole list as CSV, with one header line and a byte order mark.
 *
 * @throws Problem the API refuses, or does not answer.
 */
export async function readCsv<P extends ListPath>(path: P, parameters: Parameters<P>): Promise<Blob> {
  const { query = {}, ...rest } = parameters as { query?: object };
  const parts: BlobPart[] = [];
  let cursor: string | null = null;
  do {
    const next = { ...rest, query: { ...query, limit: PAGE_LIMIT, ...(cursor === null ? {} : { cursor }) } };
    const response: Response = await send(addressOf(path, next as Parameters<P>), {
      headers: { Accept: CSV_FOR_SPREADSHEETS },
    });
    // As text, a page is without its byte order mark.
    parts.push(cursor === null ? await response.blob() : withoutHeader(await response.text()));
    cursor = nextCursor(response.headers.get("Link"));
  } while (cursor !== null);
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/** Column names have no line ends, so the header is the first line. */
function withoutHeader(csv: string): string {
  return csv.slice(csv.indexOf("\n") + 1);
}

/** The cursor of the next page, where a Link header (RFC 8288) leads to one. */
function nextCursor(link: string | null): string | null {
  const next = link?.match(/<([^>]*)>\s*;\s*rel="next"/)?.[1];
  return next === undefined ? null : new URL(next, "http://api").searchParams.get("cursor");
}

/** Have the browser save a file. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
