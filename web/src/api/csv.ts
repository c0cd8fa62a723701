/** CSV as the API writes it (RFC 4180, with a header line), read fast: a page may have 10,000 lines. Pure. */

/** Rows of cells; quoted cells may hold commas, quotes and line ends. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      [cell, at] = quoted(text, at);
    } else {
      const end = endOfCell(text, at);
      cell = text.slice(at, end);
      at = end;
    }
    row.push(cell);
    if (text[at] === ",") {
      at += 1;
      if (at === text.length) {
        row.push("");
      }
      continue;
    }
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) {
    rows.push(row);
  }
  return rows;
}

function endOfCell(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === 44 || character === 13 || character === 10) {
      return at;
    }
  }
  return text.length;
}

function quoted(text: string, from: number): [string, number] {
  let cell = "";
  let at = from + 1;
  while (true) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      throw new SyntaxError("A quoted cell has no end.");
    }
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      return [cell, quote + 1];
    }
    cell += '"';
    at = quote + 2;
  }
}

/** Lines as records by column name. */
export function parseRecords(text: string): Record<string, string>[] {
  const [columns = [], ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(columns.map((column, n) => [column, unguarded(row[n] ?? "")])));
}

/** A text without the apostrophe that keeps spreadsheets from running it. */
function unguarded(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

/** The address of the next page (RFC 8288), where the header names one. */
export function nextLink(header: string | null): string | null {
  return header?.match(/<([^>]*)>\s*;\s*rel="next"/)?.[1] ?? null;
}
