import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimelineSegment } from "../src/api/openapi.ts";
import type { State } from "../src/api/states.ts";
import { joined, piecesBySlot, stretches, timeInStates } from "../src/charts/segments.ts";
import { en } from "../src/words/en.ts";
import { ko } from "../src/words/ko.ts";

function segment(from: number, to: number, state: State, mode: TimelineSegment["mode"] = null): TimelineSegment {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), state, mode, reason: null };
}

test("a strip is cut to its window, and neighbours in the same state are joined", () => {
  const drawn = stretches(
    [segment(0, 100, "idle"), segment(100, 200, "producing", "manual"), segment(200, 300, "producing", "automatic")],
    50,
    250,
  );
  assert.deepEqual(drawn, [
    { fromMs: 50, toMs: 100, state: "idle" },
    { fromMs: 100, toMs: 250, state: "producing" },
  ]);
  assert.deepEqual(timeInStates(drawn), [
    ["producing", 150],
    ["idle", 50],
  ]);
});

test("a table joins neighbours only if state, mode and reason are equal", () => {
  const given = [segment(0, 1, "idle"), segment(1, 2, "idle"), segment(2, 3, "producing", "manual")];
  assert.deepEqual(joined([...given, segment(3, 4, "producing", "automatic")]), [
    segment(0, 2, "idle"),
    segment(2, 3, "producing", "manual"),
    segment(3, 4, "producing", "automatic"),
  ]);
});

test("every piece within the window is added to its slot", () => {
  const at = (ms: number, good: number) => ({ at: new Date(ms).toISOString(), good, scrap: 1, rework: 0, product: "" });
  const slots = piecesBySlot([at(0, 1), at(9, 2), at(10, 4), at(30, 8)], 0, 30, 10);
  assert.deepEqual(
    slots.map(({ good, scrap }) => [good, scrap]),
    [
      [3, 2],
      [4, 1],
      [0, 0],
    ],
  );
});

/** Returns every text of a language by its path. */
function texts(words: object, path = ""): Map<string, unknown> {
  return new Map(
    Object.entries(words).flatMap(([key, value]): [string, unknown][] =>
      typeof value === "object" && value !== null ? [...texts(value, `${path}${key}.`)] : [[path + key, value]],
    ),
  );
}

test("both languages have the same texts, and the Korean ones are in Hangul", () => {
  const [english, korean] = [texts(en), texts(ko)];
  assert.deepEqual([...korean.keys()].sort(), [...english.keys()].sort());
  const latin = new Set(["otherLanguage", "signedOut.command", "factory.points"]);
  for (const [key, text] of korean) {
    if (typeof text === "string" && !latin.has(key)) {
      assert.match(text, /\p{Script=Hangul}/u, key);
    }
  }
});
