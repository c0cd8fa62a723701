/** Checks the use of pages: keyboard, the sheet of a KPI, address, search, order and downloads, a day's account, targets. */

import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "playwright-core";
import type { FactoryPage, QualityDays } from "../src/api/openapi.ts";
import { addDays } from "../src/state/seoul.ts";
import { open, settle, WIDE } from "./browser.ts";
import { type Api, shownKpis } from "./kpis.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";

export async function walkUse(context: BrowserContext, plan: Plan, api: Api, report: Report): Promise<void> {
  const watched = await open(context);
  const { page } = watched;
  await page.setViewportSize(WIDE);
  const window = `kpi=availability&from=${plan.from}&to=${plan.to}&interval=day&lang=en`;
  const machine = `machine:${plan.factory}/${plan.machine}&day=${plan.day}`;
  for (const [name, where] of [
    ["nation", "nation"],
    ["programme", "nation"],
    ["factory", `factory:${plan.factory}`],
    ["machine", machine],
  ] as const) {
    const url = `${plan.url}/?page=${name}&scope=${where}&${window}`;
    await report.part(`keyboard, ${name}`, () => checkTabOrder(page, name, url, report));
  }
  await report.part("keyboard", () => checkFocus(page, `${plan.url}/?page=nation&scope=nation&${window}`, report));
  await report.part("sheet", () => checkSheet(page, plan, api, report));
  await report.part("address", () =>
    checkAddress(page, `${plan.url}/?page=nation&scope=nation&${window}`, plan.region, report),
  );
  await report.part("list", () =>
    checkList(page, `${plan.url}/?page=factories&scope=nation&${window}`, plan, api, report),
  );
  await report.part("day", () => checkDay(page, `${plan.url}/?lang=en&page=machine&scope=machine:`, plan, api, report));
  await report.part("data quality", () => checkQuality(page, plan, api, report));
  await report.part("programme", () => checkProgramme(page, plan.url, api, report));
  report.add("use: no errors or warnings", watched.takeMessages());
  await page.close();
}

/** Checks that a factory's page shows the records that the API counts today, and that a ghost has none. */
async function checkQuality(page: Page, plan: Plan, api: Api, report: Report): Promise<void> {
  const window = `from=${plan.from}&to=${addDays(plan.today, 1)}`;
  const { items } = (await api.get(`/v1/factories/${plan.factory}/data-quality?${window}`)) as QualityDays;
  const expected = items.find(({ day }) => day === plan.today)?.records ?? 0;
  await page.goto(`${plan.url}/?lang=en&page=factory&scope=factory:${plan.factory}&${window}`);
  await settle(page);
  const shown = await page.innerText(`[data-quality="${plan.today}"] td:nth-child(2)`);
  report.expect("data quality of today", expected > 0 && shown === expected.toLocaleString("en-US"), shown);
  await page.goto(`${plan.url}/?lang=en&page=factory&scope=factory:${plan.ghost}&${window}`);
  await settle(page);
  const empty = await page.innerText(".panel-quality .empty");
  report.expect("data quality of a ghost", /Nothing was received/.test(empty), empty);
}

/** Checks that Tab reaches everything that a pointer can use. */
async function checkTabOrder(page: Page, name: string, url: string, report: Report): Promise<void> {
  await page.goto(url);
  await settle(page);
  const all = await page.evaluate(() => {
    const found = [
      ...document.querySelectorAll<HTMLElement>("a[href], button, select, input, summary, [tabindex='0']"),
    ];
    const usable = found.filter((part) => !part.matches(":disabled") && part.checkVisibility());
    for (const [n, part] of usable.entries()) {
      part.dataset["stop"] = String(n);
    }
    return usable.map((part) => `${part.tagName} ${part.textContent || part.getAttribute("aria-label")}`);
  });
  const reached = new Set<string>();
  for (let n = 0; n < all.length * 2 && reached.size < all.length; n += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset["stop"]);
    if (stop !== undefined) {
      reached.add(stop);
    }
  }
  report.add(
    `${name}: Tab reaches everything`,
    all.filter((_, n) => !reached.has(String(n))),
  );
}

/** Checks that Enter opens a KPI, Escape closes it, and the focus returns. */
async function checkFocus(page: Page, url: string, report: Report): Promise<void> {
  await page.goto(url);
  await settle(page);
  const tile = page.locator(".tile-kpi").first();
  await tile.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  const back = await page.evaluate(() => document.activeElement?.classList.contains("tile-kpi"));
  report.expect("the focus returns from the sheet", back === true);
}

/** Checks that the sheet of each KPI has definition, sums, coverage, factories and machines as in the API. */
async function checkSheet(page: Page, plan: Plan, api: Api, report: Report): Promise<void> {
  await page.goto(`${plan.url}/?lang=en&page=machine&scope=machine:${plan.factory}/${plan.machine}&day=${plan.day}`);
  await settle(page);
  for (const [n, shown] of (await shownKpis(page)).entries()) {
    const item = await api.item(shown.scope, shown.from, shown.to);
    const answer = item?.kpis[shown.kpi];
    await page.locator("[data-kpi]").nth(n).click();
    const text = (await page.innerText("dialog[open]")).replaceAll(/\s+/g, " ");
    const expected = [
      "Definition",
      "Numerator",
      "Denominator",
      "1 factory, 1 machine",
      "Coverage",
      "Seoul time",
      ...(answer?.flags ?? []).map((flag) => (flag === "low_coverage" ? "Too little data" : "bove")),
      ...(answer?.value === null ? ["Why there is no value"] : []),
    ];
    if (shown.kpi === "quality_ratio" && answer !== undefined) {
      expected.push(
        `${answer.numerator.toLocaleString("en-US")} pieces`,
        `${answer.denominator.toLocaleString("en-US")} pieces`,
      );
    }
    report.add(
      `the sheet of ${shown.kpi}`,
      expected.filter((part) => !text.includes(part)).map((part) => `no "${part}" in: ${text}`),
    );
    if (n === 0) {
      await page.screenshot({ path: `${plan.screenshots}/kpi-en.png` });
    }
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  }
}

/** Checks that the address names the selection, and that reloading and going back restore it. */
async function checkAddress(page: Page, url: string, region: string, report: Report): Promise<void> {
  const seen = async () => {
    await settle(page);
    const values = (await shownKpis(page)).map(({ kpi, scope, value }) => `${kpi} ${scope} ${value}`);
    return values.join("\n");
  };
  await page.goto(url);
  const first = await seen();
  await page.selectOption("select", "oee");
  await page.getByRole("button", { name: "90 days" }).click();
  await page.getByRole("button", { name: "Month" }).click();
  const second = await seen();
  const at = page.url();
  report.expect("the address names the selection", /kpi=oee/.test(at) && /interval=month/.test(at), at);
  await page.reload();
  report.expect("reloading restores the view", (await seen()) === second);
  await page.goBack();
  await page.goBack();
  await page.goBack();
  // The page follows the address a moment later, so it may look settled before it starts.
  const until = Date.now() + 5000;
  while ((await seen()) !== first && Date.now() < until) {
    await page.waitForTimeout(50);
  }
  report.expect("going back restores the view", (await seen()) === first && page.url() === url, page.url());
  await page.locator(`.tile[data-region="${region}"] a`).click();
  await page.waitForSelector('main[data-page="region"]');
  await settle(page);
  await page.getByRole("button", { name: "한국어" }).click();
  report.expect(
    "switching the language keeps the view",
    page.url().includes(`scope=region:${region}`) && page.url().includes("lang=ko"),
    page.url(),
  );
}

/** Checks searching, filtering, sorting and downloading the list, and a search without results. */
async function checkList(page: Page, url: string, plan: Plan, api: Api, report: Report): Promise<void> {
  await page.goto(url);
  await settle(page);
  const byAvailability = page.locator("thead").getByRole("button", { name: "Availability" });
  await byAvailability.click();
  await byAvailability.click();
  await settle(page);
  await checkDownloads(page, api, report);
  await checkNames(page, "", api, report);
  await checkNames(page, "name-", api, report);
  const values = (await shownKpis(page)).map(({ value }) => (value === "" ? Number.NEGATIVE_INFINITY : Number(value)));
  const sorted = values.every((value, n) => n === 0 || value <= (values[n - 1] ?? value));
  report.expect("sorted by the KPI, descending", sorted && values.length > 3, values.join(" "));
  await checkPages(page, api, report);
  await page.selectOption(".filters select >> nth=3", plan.zone);
  const inZone = (await api.get(`/v1/factories?zone=${plan.zone}&limit=1000`)) as FactoryPage;
  const narrowed = await page.getAttribute("[data-factories]", "data-factories");
  report.expect("the zone filter", Number(narrowed) === inZone.items.length, `${narrowed}`);
  report.expect("the address names the zone", page.url().includes(`zone=${plan.zone}`), page.url());
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.fill('input[type="search"]', plan.factory.toLowerCase());
  const rows = await page.locator("[data-factory]").count();
  report.expect("searching by id finds one factory", rows === 1, `${rows}`);
  await page.fill('input[type="search"]', "no such factory");
  const empty = await page.innerText(".empty");
  report.expect("a search without results says what to do", /Change or clear/.test(empty), empty);
  await page.screenshot({ path: `${plan.screenshots}/factories-empty-en.png` });
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.locator("[data-factory] a").first().click();
  await page.waitForSelector('main[data-page="factory"]');
}

/** Checks that the API is asked for the order, and for further pages until the view is full. */
async function checkPages(page: Page, api: Api, report: Report): Promise<void> {
  const { items } = (await api.get("/v1/factories?limit=1000")) as FactoryPage;
  const pattern = "**/v1/kpis?*order_by=*";
  const asked: URL[] = [];
  await page.route(pattern, (route) => {
    const url = new URL(route.request().url());
    asked.push(new URL(url));
    url.searchParams.set("limit", "3");
    return route.continue({ url: url.href });
  });
  const further = page.waitForRequest((request) => request.url().includes("cursor="));
  await page.locator("thead").getByRole("button", { name: "Coverage" }).click();
  await further;
  const most = Math.min(items.length, 15);
  await page.waitForFunction((count) => document.querySelectorAll("[data-factory]").length >= count, most);
  await settle(page);
  await page.unroute(pattern);
  const orders = new Set(asked.map(({ searchParams }) => searchParams.get("order_by")));
  report.expect("the API is asked for the order", [...orders].join() === "coverage", [...orders].join());
  report.expect("a page is small", asked[0]?.searchParams.get("limit") === "200", asked.join("\n"));
  const cursors = asked.map(({ searchParams }) => searchParams.get("cursor"));
  const isFirst = (cursor: string | null, n: number) => (cursor === null) === (n === 0);
  report.expect("further pages by their cursors", cursors.length > 1 && cursors.every(isFirst), cursors.join("\n"));
  report.expect("no page twice", new Set(cursors).size === cursors.length, cursors.join("\n"));
}

/** Checks the downloads: a byte order mark, which Excel needs for Korean, one header line, every factory. */
async function checkDownloads(page: Page, api: Api, report: Report): Promise<void> {
  const { items } = (await api.get("/v1/factories?limit=1000")) as FactoryPage;
  for (const [button, expected] of [
    ["Factories", items.map(({ factory_id }) => factory_id)],
    ["Availability", items.flatMap(({ factory_id, machines }) => (machines > 0 ? [`factory:${factory_id}`] : []))],
  ] as const) {
    const saving = page.waitForEvent("download");
    await page.locator(".downloads").getByRole("button", { name: button }).click();
    const file = await saving;
    report.expect(`${button}: a CSV file`, /^jejo-.+\.csv$/.test(file.suggestedFilename()), file.suggestedFilename());
    const bytes = readFileSync(await file.path());
    report.expect(`${button}: a byte order mark`, bytes.subarray(0, 3).toString("hex") === "efbbbf");
    const [header = "", ...lines] = bytes.subarray(3).toString("utf8").trimEnd().split("\r\n");
    report.expect(`${button}: a header line`, /^[a-z0-9_,]+$/.test(header), header);
    const ids = lines.map(
      (line) => line.split(",")[header.split(",").indexOf(button === "Factories" ? "factory_id" : "scope")],
    );
    report.expect(`${button}: every factory`, ids.sort().join() === [...expected].sort().join(), ids.join());
  }
}

/** Checks that names are shown as registered, including those that a spreadsheet would take for formulas. */
async function checkNames(page: Page, search: string, api: Api, report: Report): Promise<void> {
  const { items } = (await api.get("/v1/factories?limit=1000")) as FactoryPage;
  const registered = new Map(items.map(({ factory_id, name }) => [factory_id, name]));
  await page.fill('input[type="search"]', search);
  const shown = await page.$$eval("[data-factory]", (rows) =>
    rows.map((row) => [row.getAttribute("data-factory") ?? "", row.querySelector("a")?.textContent ?? ""] as const),
  );
  const wrong = shown.filter(([id, name]) => registered.get(id) !== name).map(([id, name]) => `${id}: ${name}`);
  report.add(`names, searching for "${search}"`, wrong);
  report.expect(`names are found, searching for "${search}"`, shown.length >= 3, `${shown.length}`);
  await page.fill('input[type="search"]', "");
}

/** Checks a machine's day: the time account equals the API's and adds up, and the strip is described. */
async function checkDay(page: Page, prefix: string, plan: Plan, api: Api, report: Report): Promise<void> {
  await page.goto(`${prefix}${plan.factory}/${plan.machine}&day=${plan.day}`);
  await settle(page);
  const next = new Date(Date.parse(`${plan.day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const item = await api.item(`machine:${plan.factory}/${plan.machine}`, plan.day, next);
  const shown = await page.$$eval("[data-seconds]", (rows) =>
    rows.map((row): [string, number] => [
      row.getAttribute("data-state") ?? "",
      Number(row.getAttribute("data-seconds")),
    ]),
  );
  const times: Record<string, number> = { ...item?.time_s };
  const whole = Object.values(times).reduce((sum, seconds) => sum + seconds, 0);
  report.add(
    "the time account",
    shown
      .filter(([state, seconds]) => Math.abs(seconds - (state === "whole" ? whole : (times[state] ?? -1))) > 1e-6)
      .map(([state, seconds]) => `${state}: shown ${seconds}, is ${state === "whole" ? whole : times[state]}`),
  );
  report.expect("a day is 24 hours", shown.length === 9 && Math.abs(whole - 86_400) < 1e-6, `${whole}`);
  const strip = (await page.getAttribute(".panel-strip .strip svg", "aria-label")) ?? "";
  report.expect("the strip is described", /producing \d/.test(strip), strip);
  await page.goto(`${prefix}${plan.factory}/${plan.machine}&day=2999-01-01`);
  await settle(page);
  report.expect("a future day becomes today", (await page.inputValue("input[type=date]")) === plan.today, page.url());
  await page.goto(`${prefix}${plan.factory}/${plan.machine}&day=${plan.day}`);
  await settle(page);
  await checkRecords(page, plan, next, api, report);
}

/** Checks that every count of the day is listed. */
async function checkRecords(page: Page, plan: Plan, next: string, api: Api, report: Report): Promise<void> {
  const path = `/v1/factories/${plan.factory}/machines/${plan.machine}/timeline?from=${plan.day}&to=${next}`;
  const { counts } = (await api.get(path)) as { counts: { at: string; good: number }[] };
  while ((await page.locator(".panel-records .more").count()) > 0) {
    await page.locator(".panel-records .more").first().click();
  }
  const shown = await page.$$eval("[data-count]", (rows) =>
    rows.map((row) => `${row.getAttribute("data-count")} ${row.querySelector(".number")?.textContent}`),
  );
  const expected = counts.map(({ at, good }) => `${at} ${good.toLocaleString("en-US")}`);
  report.expect("every count of the day is listed", shown.length > 0 && shown.join() === expected.join(), shown.join());
}

/** Checks that every target has a row with the API's numbers and the gap between them. */
async function checkProgramme(page: Page, url: string, api: Api, report: Report): Promise<void> {
  await page.goto(`${url}/?lang=en&page=programme&scope=nation`);
  await settle(page);
  type Counted = { id: string; reached: number };
  const { targets } = (await api.get("/v1/programme")) as {
    targets: (Counted & { target: number | null; also: Counted[] })[];
  };
  const expected = targets.flatMap(({ also, ...own }) => [own, ...also.map((one) => ({ ...one, target: null }))]);
  report.expect("every target has a row", (await page.locator("tr[data-target]").count()) === expected.length);
  for (const { id, reached, target } of expected) {
    const row = page.locator(`tr[data-target="${id}"]`);
    const text = (await row.innerText()).replaceAll(/\s+/g, " ");
    const parts = [
      reached,
      ...(target === null ? [] : [target]),
      ...(target !== null && target > reached ? [target - reached] : []),
    ];
    report.add(
      `target ${id}`,
      parts
        .map((part) => part.toLocaleString("en-US"))
        .filter((part) => !text.includes(part))
        .map((part) => `no ${part} in: ${text}`),
    );
    report.expect(
      `${id}: a line and an outlook`,
      (await row.locator("polyline").count()) === 1 &&
        (target === null || /reached by|a year since|not within/.test(text)),
      text,
    );
  }
}
