import assert from "node:assert/strict";
import { test } from "node:test";
import { axisText, duration, grouped, percent, sumText, valueText } from "../src/state/numbers.ts";

test("numbers are grouped", () => {
  assert.equal(grouped(1234567), "1,234,567");
  assert.equal(grouped(1234.56, 1), "1,234.6");
});

test("ratios are percentages with one decimal, also above 100", () => {
  assert.equal(percent(5 / 6), "83.3%");
  assert.equal(percent(0), "0.0%");
  assert.equal(percent(1.1111), "111.1%");
});

test("durations have hours and minutes in both languages", () => {
  assert.equal(duration(8100, "en"), "2 h 15 min");
  assert.equal(duration(8100, "ko"), "2시간 15분");
  assert.equal(duration(7200, "en"), "2 h");
  assert.equal(duration(3_600_000 + 59.9 * 60, "en"), "1,001 h");
});

test("durations below an hour have seconds, and rounding carries", () => {
  assert.equal(duration(0, "en"), "0 s");
  assert.equal(duration(61, "ko"), "1분 1초");
  assert.equal(duration(59.6, "en"), "1 min");
  assert.equal(duration(3599.6, "en"), "1 h");
  assert.equal(duration(7199.9, "en"), "2 h");
});

test("a value is formatted by its unit", () => {
  assert.equal(valueText(0.825, "1", "en"), "82.5%");
  assert.equal(valueText(0.5, "h", "en"), "30 min");
  assert.equal(valueText(1234.56, "1/h", "en"), "1,234.6 /h");
  assert.equal(valueText(1234.56, "1/h", "ko"), "1,234.6개/h");
  assert.equal(axisText(0.825, "1", "en"), "82.5%");
  assert.equal(axisText(12.5, "h", "ko"), "12시간 30분");
  assert.equal(axisText(12.345, "1/h", "ko"), "12.35");
});

test("sums have their unit", () => {
  assert.equal(sumText(9000, "s", "ko"), "2시간 30분");
  assert.equal(sumText(1200, "pieces", "en"), "1,200 pieces");
  assert.equal(sumText(1, "factories", "en"), "1 factory");
  assert.equal(sumText(1, "sponsors", "en"), "1 sponsor");
  assert.equal(sumText(3, "machines", "ko"), "3대");
  assert.equal(sumText(2.5, "h", "en"), "2 h 30 min");
  assert.equal(sumText(36_000_000, "s2", "en"), "36,000,000 s²");
});
