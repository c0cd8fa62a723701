import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultView, machineOf, PAGES, parseView, type View, viewOf, writeView } from "../src/state/view.ts";

const SCOPES: Record<View["page"], string> = {
  nation: "nation",
  programme: "nation",
  region: "region:KR-48",
  zone: "zone:changwon",
  sponsor: "sponsor:posco",
  factories: "nation",
  factory: "factory:F000123",
  machine: "machine:F000123/CNC-01",
  definitions: "nation",
};

test("the address of every page is parsed to the same view", () => {
  for (const page of PAGES) {
    const view: View = {
      ...defaultView("en"),
      page,
      scope: SCOPES[page],
      kpi: "oee",
      from: "2026-10-26",
      to: "2026-11-25",
      interval: "month",
      day: "2026-11-24",
      cohort: "size",
      q: "한빛 & Söhne?",
      sector: "C25",
      level: "basic",
      region: "KR-11",
      zone: "changwon",
      sponsor: "posco",
      sort: "kpi",
      order: "desc",
    };
    assert.deepEqual(parseView(writeView(view), "ko"), view);
  }
});

test("an address is readable and omits defaults", () => {
  const view = viewOf({ ...defaultView("ko"), from: "2026-10-26", to: "2026-11-25" }, "machine", "machine:F1/M1");
  assert.equal(
    writeView(view),
    "?page=machine&scope=machine:F1/M1&kpi=availability&from=2026-10-26&to=2026-11-25&interval=day&lang=ko",
  );
});

test("invalid parts of an address become defaults", () => {
  const usual = defaultView("en");
  for (const query of [
    "?page=moon",
    "?page=region&scope=region:KR-480",
    "?page=factory&scope=nation",
    "?page=zone&scope=zone:../x",
    "?page=sponsor&scope=zone:changwon",
    "?page=factory&scope=factory:../x",
    "?kpi=<script>",
    "?from=2026-02-30&to=2026-03-01",
    "?from=2026-03-01&to=2026-03-01",
    "?from=2026-03-01",
    "?interval=hour&lang=fr&cohort=moon&order=up",
  ]) {
    assert.deepEqual(parseView(query, "en"), usual, query);
  }
});

test("another page keeps KPI, window and language, and drops the filters", () => {
  const view = { ...defaultView("en"), kpi: "oee", from: "2026-10-26", to: "2026-11-25", q: "x", sort: "kpi" };
  assert.deepEqual(viewOf(view, "region", "region:KR-48"), {
    ...defaultView("en"),
    page: "region",
    scope: "region:KR-48",
    kpi: "oee",
    from: "2026-10-26",
    to: "2026-11-25",
  });
});

test("the scope of a machine contains its factory", () => {
  assert.deepEqual(machineOf("machine:F1/M-2"), { factory: "F1", machine: "M-2" });
});
