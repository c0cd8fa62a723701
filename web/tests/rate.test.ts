import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgrammeFigure } from "../src/api/openapi.ts";
import { outlook } from "../src/state/rate.ts";

function figure(...values: number[]): ProgrammeFigure {
  const years = ["2023-12-31", "2024-12-31", "2025-12-31", "2026-12-31"].slice(0, values.length);
  const history = years.map((on, n) => ({ on, value: values[n] ?? 0 }));
  return { history, reached: values.at(-1) ?? 0 } as ProgrammeFigure;
}

test("the present rate is that of the last year", () => {
  assert.deepEqual(outlook(figure(0, 0, 10, 20), 30), {
    kind: "on",
    day: "2027-12-31",
    perYear: 10,
    since: "2025-12-31",
  });
});

test("no date without progress, or if it takes more than a hundred years", () => {
  assert.equal(outlook(figure(0, 5, 5, 5), 30)?.kind, "never");
  assert.equal(outlook(figure(9, 8, 7, 6), 30)?.kind, "never");
  assert.equal(outlook(figure(0, 0, 0, 1), 30_000)?.kind, "never");
});

test("a reached target has the date since which it stays reached", () => {
  assert.deepEqual(outlook(figure(10, 9, 10, 12), 10), { kind: "reached", on: "2025-12-31" });
});

test("one point gives no rate", () => {
  assert.equal(outlook(figure(3), 10), null);
  assert.equal(outlook(figure(), 10), null);
});
