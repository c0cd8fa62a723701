/** Seoul's calendar: days as `YYYY-MM-DD`, instants as RFC 3339 or milliseconds. Korea keeps UTC+9 all year. */

const OFFSET_MS = 9 * 3_600_000;
export const DAY_MS = 86_400_000;
const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a text is a day of the calendar. */
export function isDay(text: string): boolean {
  return DAY_PATTERN.test(text) && !Number.isNaN(Date.parse(text)) && dayOf(midnightMs(text)) === text;
}

/** The Seoul day in which an instant lies. */
export function dayOf(ms: number): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(0, 10);
}

/** The instant at which a Seoul day begins. */
export function midnightMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) - OFFSET_MS;
}

/** The day that lies `days` later (or earlier, if negative). */
export function addDays(day: string, days: number): string {
  return dayOf(midnightMs(day) + days * DAY_MS);
}

/** Whole days from one day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((midnightMs(to) - midnightMs(from)) / DAY_MS);
}

/** The first day of a day's month. */
export function monthOf(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/** The first day of the month after a day's month. */
export function nextMonth(day: string): string {
  return monthOf(addDays(monthOf(day), 31));
}

/** An instant's time of day in Seoul, as `14:05` or with seconds as `14:05:09`. */
export function timeOf(ms: number, seconds = false): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(11, seconds ? 19 : 16);
}

/** An instant's day and time in Seoul: `2026-11-24 14:05`. */
export function dayAndTimeOf(ms: number): string {
  return `${dayOf(ms)} ${timeOf(ms)}`;
}

/** The last `days` whole days before the one that is still running at an instant. */
export function lastWholeDays(untilMs: number, days: number): { from: string; to: string } {
  const to = dayOf(untilMs);
  return { from: addDays(to, -days), to };
}

/** The window widened to whole months. */
export function wholeMonths(from: string, to: string): { from: string; to: string } {
  return { from: monthOf(from), to: to === monthOf(to) ? to : nextMonth(to) };
}
