/** Lists as CSV files for spreadsheets: all pages in one file. */

import { addressOf, type ListPath, PAGE_LIMIT, type Parameters, send } from "./client.ts";

/** Excel needs a byte order mark to show Korean. */
const CSV_FOR_SPREADSHEETS = "text/csv; bom=present";

/** Returns a whole list as CSV, with one header line and a byte order mark.
 *
 * @throws Problem if the API refuses or is unreachable.
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
    // text() drops the byte order mark.
    parts.push(cursor === null ? await response.blob() : withoutHeader(await response.text()));
    cursor = nextCursor(response.headers.get("Link"));
  } while (cursor !== null);
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/** Drops the first line: column names contain no line breaks. */
function withoutHeader(csv: string): string {
  return csv.slice(csv.indexOf("\n") + 1);
}

/** Returns the cursor in a Link header (RFC 8288), or null on the last page. */
function nextCursor(link: string | null): string | null {
  const next = link?.match(/<([^>]*)>\s*;\s*rel="next"/)?.[1];
  return next === undefined ? null : new URL(next, "http://api").searchParams.get("cursor");
}

/** Saves a file through the browser. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
