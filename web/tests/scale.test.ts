import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOURS, classOf, colourOf, contrast, makeScale } from "../src/charts/scale.ts";

test("classes have round bounds, cover every value, and are at most five", () => {
  for (const values of [[0.55, 0.7, 0.849], [0.801, 0.802], [0], [1], [3.2, 117.4, 60], [0.5, 0.5], [0.1, 1.25]]) {
    const scale = makeScale(values);
    assert.ok(scale);
    const [first = Number.NaN] = scale.breaks;
    const last = scale.breaks.at(-1) ?? Number.NaN;
    assert.ok(first <= Math.min(...values) && last >= Math.max(...values), `${values}: ${scale.breaks}`);
    assert.ok(scale.colours.length <= COLOURS.length);
    assert.equal(scale.breaks.length, scale.colours.length + 1);
  }
  assert.deepEqual(makeScale([0.55, 0.849])?.breaks, [0.5, 0.6, 0.7, 0.8, 0.9]);
});

test("a greater value never has a lighter colour", () => {
  const scale = makeScale([0.5, 0.9]);
  assert.ok(scale);
  let before = 0;
  for (let value = 0.5; value <= 0.9; value += 0.01) {
    const place = classOf(scale, value);
    assert.ok(place >= before);
    before = place;
  }
  const light = COLOURS.map((colour) => contrast(colour, "#000000"));
  assert.deepEqual(
    light,
    [...light].sort((a, b) => b - a),
  );
});

test("no scale without values", () => {
  assert.equal(makeScale([]), null);
});

test("the number in a tile has enough contrast on every colour (WCAG AA)", () => {
  const scale = makeScale([0, 0.5]);
  assert.ok(scale);
  assert.equal(scale.colours.length, COLOURS.length);
  for (const value of [0.05, 0.15, 0.25, 0.35, 0.45]) {
    const { fill, ink } = colourOf(scale, value);
    assert.ok(contrast(fill, ink) >= 4.5, `${fill} ${ink}`);
  }
});
