/** Estimates when a target is reached at the present rate. Pure. */

import type { FigurePoint, ProgrammeFigure } from "../api/openapi.ts";
import { addDays, daysBetween } from "./seoul.ts";

const YEAR = 365;
const MOST_YEARS = 100;

/** Returns the two points that give the present rate: today, and a year or a little more before. */
function presentRate(history: readonly FigurePoint[]): [FigurePoint, FigurePoint] | null {
  const last = history.at(-1);
  const first = history.findLast((point) => last !== undefined && daysBetween(point.on, last.on) >= YEAR) ?? history[0];
  return first === undefined || last === undefined || first.on >= last.on ? null : [first, last];
}

export type Outlook =
  | { kind: "reached"; on: string }
  | { kind: "on"; day: string; perYear: number; since: string }
  | { kind: "never"; perYear: number; since: string };

/** Returns when a target was finally reached, or when it will be at the present rate.
 *
 * @returns null if there is too little history.
 */
export function outlook({ history, reached }: ProgrammeFigure, target: number): Outlook | null {
  if (reached >= target) {
    const below = history.findLastIndex(({ value }) => value < target);
    return { kind: "reached", on: history[below + 1]?.on ?? "" };
  }
  const rate = presentRate(history);
  if (rate === null) {
    return null;
  }
  const [first, last] = rate;
  const perDay = (last.value - first.value) / daysBetween(first.on, last.on);
  const [perYear, since] = [perDay * YEAR, first.on];
  const days = Math.ceil((target - reached) / perDay);
  return perDay > 0 && days <= MOST_YEARS * YEAR
    ? { kind: "on", day: addDays(last.on, days), perYear, since }
    : { kind: "never", perYear, since };
}
