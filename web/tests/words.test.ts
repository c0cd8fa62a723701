import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { KpiDefinition, PublishedFigure } from "../src/api/openapi.ts";
import { MARKS } from "../src/state/kpi.ts";
import { sumWords } from "../src/words/definitions.ts";
import { WORDS } from "../src/words/index.ts";
import { REGIONS } from "../src/words/places.ts";

// The tests run in web/.
const read = (name: string): unknown => JSON.parse(readFileSync(`../schemas/${name}`, "utf8"));
const { kpis } = read("kpis.json") as { kpis: KpiDefinition[] };
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

test("every reason and flag of the definitions has a text in both languages, and every flag a mark", () => {
  const reasons = new Set(kpis.flatMap((kpi) => kpi.reasons.map(({ reason }) => reason)));
  const flags = new Set(kpis.flatMap((kpi) => [...kpi.flags, ...kpi.shortfalls].map(({ flag }) => flag)));
  assert.ok(reasons.size > 5 && flags.size > 0);
  for (const words of Object.values(WORDS)) {
    assert.deepEqual(
      [...reasons].filter((reason) => !words.reasons[reason]),
      [],
    );
    for (const flag of [...flags, "low_coverage", "above_range"]) {
      assert.ok(words.flags[flag] && words.flagShort[flag] && MARKS[flag], flag);
    }
  }
});

test("no two regions share a tile", () => {
  assert.equal(new Set(REGIONS.map(({ column, row }) => `${column} ${row}`)).size, REGIONS.length);
});
