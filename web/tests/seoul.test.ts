import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addDays,
  dayAndTimeOf,
  dayOf,
  daysBetween,
  isDay,
  lastWholeDays,
  midnightMs,
  timeOf,
  wholeMonths,
} from "../src/state/seoul.ts";

test("a day in Seoul begins at 15:00 UTC of the day before", () => {
  assert.equal(midnightMs("2026-11-25"), Date.parse("2026-11-24T15:00:00Z"));
  assert.equal(dayOf(Date.parse("2026-11-24T15:00:00Z")), "2026-11-25");
  assert.equal(dayOf(Date.parse("2026-11-24T14:59:59.999Z")), "2026-11-24");
  assert.equal(timeOf(Date.parse("2026-11-24T15:04:05Z"), true), "00:04:05");
  assert.equal(dayAndTimeOf(Date.parse("2026-12-31T16:30:00Z")), "2027-01-01 01:30");
});

test("the last whole days end at the start of the current one", () => {
  const until = Date.parse("2026-11-25T03:00:00Z");
  assert.deepEqual(lastWholeDays(until, 30), { from: "2026-10-26", to: "2026-11-25" });
  assert.equal(daysBetween("2026-10-26", "2026-11-25"), 30);
  assert.deepEqual(lastWholeDays(midnightMs("2026-11-25"), 1), { from: "2026-11-24", to: "2026-11-25" });
});

test("windows are extended to whole months", () => {
  assert.deepEqual(wholeMonths("2026-10-26", "2026-11-25"), { from: "2026-10-01", to: "2026-12-01" });
  assert.deepEqual(wholeMonths("2026-12-05", "2027-01-01"), { from: "2026-12-01", to: "2027-01-01" });
  assert.equal(addDays("2028-02-28", 1), "2028-02-29");
});

test("only valid dates are days", () => {
  assert.deepEqual(["2026-02-28", "2026-02-29", "2026-2-1", "x"].map(isDay), [true, false, false, false]);
});
