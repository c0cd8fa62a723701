/** Dates and times in Seoul: days as `YYYY-MM-DD`, instants as RFC 3339 or milliseconds. Korea has UTC+9 all year. */

const OFFSET_MS = 9 * 3_600_000;
export const DAY_MS = 86_400_000;
const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a text is a valid date. */
export function isDay(text: string): boolean {
  return DAY_PATTERN.test(text) && !Number.isNaN(Date.parse(text)) && dayOf(midnightMs(text)) === text;
}

/** Returns the day in Seoul of an instant. */
export function dayOf(ms: number): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(0, 10);
}

/** Returns the instant at which a day in Seoul begins. */
export function midnightMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) - OFFSET_MS;
}

/** Returns the day `days` later (earlier if negative). */
export function addDays(day: string, days: number): string {
  return dayOf(midnightMs(day) + days * DAY_MS);
}

/** Returns the number of days from one day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((midnightMs(to) - midnightMs(from)) / DAY_MS);
}

/** Returns the first day of a day's month. */
export function monthOf(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/** Returns the first day of the month after a day's month. */
export function nextMonth(day: string): string {
  return monthOf(addDays(monthOf(day), 31));
}

/** Formats an instant's time of day in Seoul, as `14:05` or with seconds as `14:05:09`. */
export function timeOf(ms: number, seconds = false): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(11, seconds ? 19 : 16);
}

/** Formats an instant's day and time in Seoul: `2026-11-24 14:05`. */
export function dayAndTimeOf(ms: number): string {
  return `${dayOf(ms)} ${timeOf(ms)}`;
}

/** Returns the last `days` whole days before the day of an instant. */
export function lastWholeDays(untilMs: number, days: number): { from: string; to: string } {
  const to = dayOf(untilMs);
  return { from: addDays(to, -days), to };
}

/** Returns the window extended to whole months. */
export function wholeMonths(from: string, to: string): { from: string; to: string } {
  return { from: monthOf(from), to: to === monthOf(to) ? to : nextMonth(to) };
}
