/** A factory's data quality by day, as its page shows it. Pure. */

import type { QualityItem } from "../api/openapi.ts";
import type { Window } from "../api/requests.ts";
import { addDays, daysBetween } from "./seoul.ts";

/** A day of a window; `item` is null if nothing authentic was received on it. */
export interface QualityRow {
  day: string;
  item: QualityItem | null;
}

/** The longest window that the API answers for. */
const LONGEST_DAYS = 366;

/** Returns a window, or its last days if it is too long for the API. */
export function answerable({ from, to }: Window): Window {
  return { from: daysBetween(from, to) > LONGEST_DAYS ? addDays(to, -LONGEST_DAYS) : from, to };
}

/** Returns a row for each day of a window that has begun, the latest first.
 *
 * @param until the last day that has begun.
 */
export function qualityRows(items: readonly QualityItem[], window: Window, until: string): QualityRow[] {
  const byDay = new Map(items.map((item) => [item.day, item]));
  const days = Math.max(0, daysBetween(window.from, window.to));
  return Array.from({ length: days }, (_, past) => addDays(window.to, -1 - past))
    .filter((day) => day <= until)
    .map((day) => ({ day, item: byDay.get(day) ?? null }));
}

/** Returns the refused rows of a day by reason, the most first. */
export function refusals(item: QualityItem): [reason: string, rows: number][] {
  return Object.entries(item.rows.refused).sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
}

/** Returns how many rows of a day were accepted, of those that repeat nothing; null if there are none. */
export function acceptedShare({ rows }: QualityItem): number | null {
  const refused = Object.values(rows.refused).reduce((sum, rows) => sum + rows, 0);
  const judged = rows.accepted + rows.clashed + refused;
  return judged === 0 ? null : rows.accepted / judged;
}
