import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { KpiDefinition, Meanings, PublishedFigure } from "../src/api/openapi.ts";
import { MARKS } from "../src/state/kpi.ts";
import { flagMeaning, flagTitle, reasonMeaning, reasonTitle, sumWords } from "../src/words/definitions.ts";
import { REGIONS } from "../src/words/places.ts";

// The tests run in web/.
const read = (name: string): unknown => JSON.parse(readFileSync(`../schemas/${name}`, "utf8"));
const { kpis, meanings } = read("kpis.json") as { kpis: KpiDefinition[]; meanings: Meanings };
const { figures } = read("figures.json") as { figures: PublishedFigure[] };

test("a sum is put into the names of its figures, in both languages", () => {
  assert.equal(sumWords(figures, ["producing_us", "setup_us"], [], "en"), "producing + set-up");
  assert.equal(sumWords(figures, ["producing_us", "setup_us"], [], "ko"), "생산 + 준비");
  assert.equal(sumWords(figures, ["good"], ["producing_us", "setup_us"], "ko"), "(생산 + 준비) × 양품");
  for (const { id, numerator, numerator_times, denominator, denominator_times } of kpis) {
    const named = [...numerator, ...numerator_times, ...denominator, ...denominator_times];
    assert.ok(
      named.every((name) => figures.some((figure) => figure.id === name)),
      id,
    );
  }
});

test("reasons and flags are in the words of the definitions, in both languages, and every flag has a mark", () => {
  assert.equal(reasonTitle(meanings, "no_evidence", "en"), "no data received");
  assert.equal(reasonTitle(meanings, "no_evidence", "ko"), "수신 데이터 없음");
  assert.match(reasonMeaning(meanings, "no_population", "en") ?? "", /population of this year/);
  assert.equal(reasonTitle(meanings, "unheard_of", "en"), "unheard_of");
  assert.equal(reasonMeaning(meanings, "unheard_of", "en"), null);
  assert.equal(flagTitle(meanings, "low_coverage", "ko"), "데이터 부족");
  assert.match(flagMeaning(meanings, "low_coverage", "en"), /^Too little data/);
  assert.equal(flagTitle(meanings, "unheard_of", "ko"), flagMeaning(meanings, "unheard_of", "ko"));
  for (const flag of Object.keys(meanings.flags)) {
    assert.ok(MARKS[flag], flag);
  }
});

test("no two regions share a tile", () => {
  assert.equal(new Set(REGIONS.map(({ column, row }) => `${column} ${row}`)).size, REGIONS.length);
});
