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

/** Returns the days to ask for: those of a window, or its last ones if it is too long for the API.
 *
 * A window that ends with the last whole day goes on to the running one, since what was received today is of interest.
 *
 * @param today the running day.
 */
export function daysToAsk(window: Window, today: string): Window {
  const to = window.to === today ? addDays(today, 1) : window.to;
  return { from: daysBetween(window.from, to) > LONGEST_DAYS ? addDays(to, -LONGEST_DAYS) : window.from, to };
}

/** Returns a row for each day of a window that has begun, the latest first. */
export function qualityRows(items: readonly QualityItem[], window: Window, today: string): QualityRow[] {
  const byDay = new Map(items.map((item) => [item.day, item]));
  const days = Math.max(0, daysBetween(window.from, window.to));
  return Array.from({ length: days }, (_, past) => addDays(window.to, -1 - past))
    .filter((day) => day <= today)
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
