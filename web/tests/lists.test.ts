import assert from "node:assert/strict";
import { test } from "node:test";
import type { FactoryListEntry, KpiItem } from "../src/api/openapi.ts";
import { arrange, narrow, prepare, type Row, rank, rankedBy, SORTS } from "../src/state/factory-rows.ts";

function factory(number: number, more: Partial<FactoryListEntry> = {}): FactoryListEntry {
  return {
    factory_id: `F${number}`,
    effective_from: "2020-01-01T00:00:00Z",
    effective_to: null,
    name: `Hanbit ${number}`,
    enterprise_id: "E1",
    enterprise_name: "한빛정밀",
    region: "KR-48",
    sector: "C29",
    level: "basic",
    zone: null,
    sponsor: null,
    size: "10-49",
    established_on: null,
    closed_on: null,
    machines: number,
    ...more,
  };
}

function item(id: string, value: number | null = 0.5): KpiItem {
  const answer = { value, numerator: 0, denominator: 0, reason: null, flags: [] };
  return { scope: `factory:${id}`, kpis: { oee: answer }, coverage: 1 } as unknown as KpiItem;
}

test("a search matches ids, names and enterprises, ignoring case", () => {
  const factories = [
    factory(1),
    factory(2, { enterprise_name: "Samjin" }),
    factory(3, { region: "KR-11", zone: "Z1" }),
  ];
  const ids = (by: Partial<Parameters<typeof narrow>[1]>) =>
    narrow(prepare(factories), { q: "", region: "", sector: "", level: "", zone: "", sponsor: "", ...by }).map(
      (listed) => listed.factory.factory_id,
    );
  assert.deepEqual(ids({ q: "f2" }), ["F2"]);
  assert.deepEqual(ids({ q: "한빛정" }), ["F1", "F3"]);
  assert.deepEqual(ids({ q: "SAM" }), ["F2"]);
  assert.deepEqual(ids({ region: "KR-11" }), ["F3"]);
  assert.deepEqual(ids({ zone: "Z1" }), ["F3"]);
  assert.deepEqual(ids({ sector: "C10" }), []);
});

test("rows are sorted by what the registry has, and numbers in names compare as numbers", () => {
  const listed = prepare([factory(10), factory(9), factory(2), factory(1)]);
  const rows = listed.map((each): Row => ({ ...each, item: undefined }));
  const order = (sort: string, direction: "asc" | "desc") =>
    arrange(rows, sort, direction, "en").map((row) => row.factory.factory_id);
  assert.deepEqual(order("name", "asc"), ["F1", "F2", "F9", "F10"]);
  assert.deepEqual(order("name", "desc"), ["F10", "F9", "F2", "F1"]);
  assert.deepEqual(order("machines", "desc"), ["F10", "F9", "F2", "F1"]);
  assert.deepEqual(order("region", "asc"), ["F1", "F2", "F9", "F10"]);
});

test("the API is asked for the order by a KPI and by coverage, and for no other", () => {
  assert.equal(rankedBy("kpi", "asc", "oee"), "oee");
  assert.equal(rankedBy("kpi", "desc", "oee"), "-oee");
  assert.equal(rankedBy("coverage", "desc", "oee"), "-coverage");
  for (const sort of SORTS.filter((sort) => sort !== "kpi" && sort !== "coverage")) {
    assert.equal(rankedBy(sort, "desc", "oee"), null);
  }
});

test("ranked rows are in the order of the items; those without an item follow once no item is missing", () => {
  const listed = prepare([factory(10), factory(9), factory(2), factory(1)]);
  const items = [item("F2", 0.7), item("F7", 0.6), item("F10", 0.5)];
  const ids = (rows: Row[]) => rows.map((row) => row.factory.factory_id);
  assert.deepEqual(ids(rank(listed, items, false)), ["F2", "F10"]);
  const rows = rank(listed, items, true);
  assert.deepEqual(ids(rows), ["F2", "F10", "F1", "F9"]);
  assert.deepEqual(
    rows.map((row) => row.item?.kpis["oee"]?.value),
    [0.7, 0.5, undefined, undefined],
  );
  assert.deepEqual(ids(rank([], items, true)), []);
});

test("30,000 factories are searched and sorted faster than one sort by locale takes", () => {
  const factories = Array.from({ length: 30_000 }, (_, n) => factory((n * 7919) % 30_000));
  const listed = prepare(factories);
  const rows = listed.map((each): Row => ({ ...each, item: undefined }));
  const items = factories.map((each) => item(each.factory_id));
  const quickest = (work: () => unknown) => {
    const took = Array.from({ length: 3 }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    });
    return Math.min(...took);
  };
  const names = new Intl.Collator("ko", { numeric: true });
  const plain = quickest(() => [...factories].sort((a, b) => names.compare(a.name, b.name)));
  const by = { q: "hanbit 1", region: "", sector: "", level: "", zone: "", sponsor: "" };
  assert.equal(narrow(listed, by).length, 11_111);
  assert.ok(quickest(() => narrow(listed, by)) < plain);
  for (const sort of SORTS) {
    const ms = quickest(() => arrange(rows, sort, "desc", "ko"));
    assert.ok(ms < plain, `${sort}: ${ms} ms, not below ${plain} ms`);
  }
  const first = items.slice(0, 200);
  assert.equal(rank(listed, first, false).length, 200);
  assert.ok(quickest(() => rank(listed, first, false)) < plain);
});
