import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

/** The folders of `src`; each imports from those before it only. */
const LAYERS = ["api", "words", "state", "kpis", "charts", "parts", "pages"];
const ROOT = "src";

test("every folder imports from the folders below it only", () => {
  const upward: string[] = [];
  for (const folder of LAYERS) {
    for (const name of readdirSync(path.join(ROOT, folder))) {
      const file = path.join(ROOT, folder, name);
      for (const [, imported = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
        const [target = ""] = path.relative(ROOT, path.resolve(path.dirname(file), imported)).split(path.sep);
        if (LAYERS.indexOf(target) < 0 || LAYERS.indexOf(target) > LAYERS.indexOf(folder)) {
          upward.push(`${file} imports ${imported}`);
        }
      }
    }
  }
  assert.deepEqual(upward, []);
});

test("every folder has its layer", () => {
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), [...LAYERS, "styles"].sort());
});
