import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { QualityItem } from "../src/api/openapi.ts";
import { signedDuration } from "../src/state/numbers.ts";
import { acceptedShare, daysToAsk, qualityRows, refusals } from "../src/state/quality.ts";
import { WORDS } from "../src/words/index.ts";

function item(day: string, rows: Partial<QualityItem["rows"]> = {}): QualityItem {
  return {
    day,
    records: 10,
    rows: { accepted: 0, duplicate: 0, clashed: 0, revised: 0, refused: {}, ...rows },
    sequence_gaps: 0,
    lost_records: 0,
    late_share: null,
    receipt_delay_s: { p50: 1, p99: 2 },
    clock_offset_s: { p50: null, p99: null },
  };
}

test("every day of the window that has begun has a row, the latest first", () => {
  const window = { from: "2026-10-30", to: "2026-11-03" };
  const rows = qualityRows([item("2026-10-31")], window, "2026-11-01");
  assert.deepEqual(
    rows.map(({ day, item }) => [day, item?.records ?? null]),
    [
      ["2026-11-01", null],
      ["2026-10-31", 10],
      ["2026-10-30", null],
    ],
  );
});

test("the running day is asked for after the last whole one, and of a window that is too long the end", () => {
  const today = "2026-11-02";
  const month = { from: "2026-10-01", to: "2026-11-01" };
  assert.deepEqual(daysToAsk(month, today), month);
  assert.deepEqual(daysToAsk({ from: "2026-10-26", to: today }, today), { from: "2026-10-26", to: "2026-11-03" });
  assert.deepEqual(daysToAsk({ from: "2016-01-01", to: "2026-11-01" }, today), {
    from: "2025-10-31",
    to: "2026-11-01",
  });
});

test("what repeats something is in no share", () => {
  assert.equal(
    acceptedShare(item("2026-11-01", { accepted: 90, duplicate: 500, clashed: 4, refused: { a: 5, b: 1 } })),
    0.9,
  );
  assert.equal(acceptedShare(item("2026-11-01", { duplicate: 3 })), null);
});

test("reasons are listed by the number of rows", () => {
  assert.deepEqual(refusals(item("2026-11-01", { refused: { b: 2, a: 2, c: 7 } })), [
    ["c", 7],
    ["a", 2],
    ["b", 2],
  ]);
});

test("delays may be negative, and short ones have decimals", () => {
  assert.equal(signedDuration(0.254, "en"), "0.25 s");
  assert.equal(signedDuration(-61, "en"), "−1 min 1 s");
  assert.equal(signedDuration(-0.001, "ko"), "0초");
  assert.equal(signedDuration(-0.5, "ko"), "−0.5초");
});

test("every reason that an authentic record or row may get has a text in both languages", () => {
  const source = readFileSync("../schemas/wire/codes.py", "utf8");
  const reasons = [...source.matchAll(/^ {4}(\w+) = "\1"$/gm)].map(([, reason = ""]) => reason);
  const unauthentic = ["unreadable_batch", "too_large", "bad_json", "key_mismatch", "unknown_factory", "bad_signature"];
  assert.ok(unauthentic.every((reason) => reasons.includes(reason)));
  const authentic = reasons.filter((reason) => !unauthentic.includes(reason)).sort();
  for (const words of Object.values(WORDS)) {
    assert.deepEqual(Object.keys(words.quality.reasons).sort(), authentic);
  }
});
