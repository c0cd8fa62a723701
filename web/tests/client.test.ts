import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { addressOf, getJson, getPages, Problem } from "../src/api/client.ts";
import { readCsv } from "../src/api/download.ts";
import { orderBy, readFactories, readKpis, readMachines, readRankedKpis, readZones } from "../src/api/requests.ts";
import { problemOf } from "../src/state/load.ts";
import { signedOut } from "../src/state/signed-out.ts";

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

/** Replaces fetch by one that returns these responses, in order.
 *
 * @returns the requested addresses.
 */
function respond(...responses: (Response | Error)[]): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    const response = responses[asked.length - 1];
    assert.ok(response !== undefined, `nothing left to answer ${url}`);
    if (response instanceof Error) {
      throw response;
    }
    return response;
  };
  return asked;
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

async function problemIn(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => assert.fail("no problem"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Problem, String(error));
  return error;
}

test("names are read unchanged, also those that a spreadsheet would take for formulas", async () => {
  const names = ["＋1호기", "'=1+1", "=1+1", "＝합계", "'tis", 'a, "b"\r\nc', " "];
  respond(json({ items: names.map((name) => ({ factory_id: "F1", name })), next_cursor: null }));
  const read: string[] = [];
  await readFactories({}, (factories) => read.push(...factories.map(({ name }) => name)));
  assert.deepEqual(read, names);
});

test("an address has its path parameters filled, lists repeated and missing parameters omitted", () => {
  assert.equal(
    addressOf("/v1/factories/{factory_id}/machines/{machine_id}", { path: { factory_id: "F/1", machine_id: "M?" } }),
    "/v1/factories/F%2F1/machines/M%3F",
  );
  const query = { scope: ["region:KR-48", "sector:C25"], from: "2026-11-01", to: "2026-12-01", cursor: null, limit: 5 };
  assert.equal(
    addressOf("/v1/kpis", { query }),
    "/v1/kpis?scope=region%3AKR-48&scope=sector%3AC25&from=2026-11-01&to=2026-12-01&limit=5",
  );
  assert.equal(addressOf("/v1/zones", {}), "/v1/zones");
});

test("every page of a list is read", async () => {
  const asked = respond(
    json({ items: [{ machine_id: "M1" }], next_cursor: "a+b=" }),
    json({ items: [{ machine_id: "M2" }], next_cursor: null }),
  );
  assert.deepEqual(
    (await readMachines("F1")).map(({ machine_id }) => machine_id),
    ["M1", "M2"],
  );
  assert.deepEqual(asked, [
    "/v1/factories/F1/machines?limit=10000",
    "/v1/factories/F1/machines?limit=10000&cursor=a%2Bb%3D",
  ]);
});

test("KPIs in an order are asked for a page at a time", async () => {
  const window = { from: "2026-11-01", to: "2026-12-01" };
  const asked = respond(
    json({ items: [], next_cursor: "a+b=" }),
    json({ items: [], next_cursor: null }),
    json({ next_cursor: null }),
    json({ items: [], next_cursor: null }),
  );
  const page = (cursor: string | null) => readRankedKpis(["nation"], window, "oee", "-oee", { limit: 200, cursor });
  assert.equal((await page(null)).next_cursor, "a+b=");
  await page("a+b=");
  assert.equal((await problemIn(page(null))).kind, "malformed");
  await readKpis(["nation"], window, ["oee"], { groupBy: "region", orderBy: orderBy("oee", "asc") });
  const ordered = (order: string, limit: number, rest = "", group = "factory") =>
    `/v1/kpis?scope=nation&group_by=${group}&interval=total&from=2026-11-01&to=2026-12-01&kpi=oee` +
    `&order_by=${order}&limit=${limit}${rest}`;
  assert.deepEqual(asked, [
    ordered("-oee", 200),
    ordered("-oee", 200, "&cursor=a%2Bb%3D"),
    ordered("-oee", 200),
    ordered("oee", 10_000, "", "region"),
  ]);
});

test("a CSV download has every page, one header line and a byte order mark", async () => {
  const mark = "\uFEFF";
  const accepted: (string | null)[] = [];
  const asked = respond(
    new Response(`${mark}factory_id,name\r\nF1,'＋1호기\r\n`, {
      headers: { Link: '<http://elsewhere:8000/v1/factories?limit=10000&cursor=a%2Bb%3D>; rel="next"' },
    }),
    new Response(`${mark}factory_id,name\r\nF2,"한빛, ""2"""\r\n`),
  );
  const answer = globalThis.fetch;
  globalThis.fetch = (url, options) => {
    accepted.push(new Headers(options?.headers).get("Accept"));
    return answer(url, options);
  };
  const file = await readCsv("/v1/factories", { query: { region: "KR-48" } });
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer());
  assert.equal(text, `${mark}factory_id,name\r\nF1,'＋1호기\r\nF2,"한빛, ""2"""\r\n`);
  assert.deepEqual(asked, [
    "/v1/factories?region=KR-48&limit=10000",
    "/v1/factories?region=KR-48&limit=10000&cursor=a%2Bb%3D",
  ]);
  assert.deepEqual(accepted, ["text/csv; bom=present", "text/csv; bom=present"]);
});

test("a refused CSV download raises a problem", async () => {
  respond(json({ detail: "Not for you." }, 403));
  assert.equal((await problemIn(readCsv("/v1/factories", {}))).status, 403);
});

test("a response that is not JSON is malformed", async () => {
  for (const body of [
    "",
    "<!doctype html><title>Sign in to the network</title>",
    '{"items": [',
    "name,employees\r\n",
  ]) {
    respond(new Response(body));
    const problem = await problemIn(getJson("/v1/programme", {}));
    assert.deepEqual([problem.kind, problem.status], ["malformed", 200]);
    assert.match(problem.detail, /^\/v1\/programme: ./);
  }
});

test("JSON other than an object, and a page without items, are malformed", async () => {
  for (const body of [null, 3, "text"]) {
    respond(json(body));
    assert.equal((await problemIn(getJson("/v1/programme", {}))).kind, "malformed");
  }
  for (const body of [{}, { items: null }, { items: { a: 1 }, next_cursor: null }]) {
    respond(json(body));
    assert.equal((await problemIn(readZones())).kind, "malformed");
  }
});

test("a malformed later page raises a problem after the pages before it", async () => {
  respond(json({ items: [{ zone_id: "Z1" }], next_cursor: "next" }), new Response("{"));
  const read: string[] = [];
  const problem = await problemIn(
    getPages("/v1/zones", {}, (items) => read.push(...items.map(({ zone_id }) => zone_id))),
  );
  assert.deepEqual([problem.kind, read], ["malformed", ["Z1"]]);
});

test("a refusal has the API's own sentence, if there is one", async () => {
  respond(json({ detail: "There is no factory X." }, 404));
  const refused = await problemIn(getJson("/v1/factories/{factory_id}", { path: { factory_id: "X" } }));
  assert.deepEqual([refused.kind, refused.status, refused.detail], ["refused", 404, "There is no factory X."]);
  respond(new Response("<h1>Bad gateway</h1>", { status: 502 }));
  const gateway = await problemIn(getJson("/v1/factories/{factory_id}", { path: { factory_id: "X" } }));
  assert.deepEqual([gateway.kind, gateway.status, gateway.detail], ["refused", 502, ""]);
});

test("without a complete response the API is unreachable", async () => {
  respond(new TypeError("network"));
  assert.equal((await problemIn(getJson("/v1/programme", {}))).kind, "unreachable");
  const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError("connection reset")) });
  respond(new Response(broken));
  assert.equal((await problemIn(getJson("/v1/programme", {}))).kind, "unreachable");
});

test("an aborted request raises no problem", async () => {
  respond(new DOMException("stopped", "AbortError"));
  await assert.rejects(getJson("/v1/programme", {}), { name: "AbortError" });
});

test("any error becomes a problem that a panel can show", async () => {
  const wrong = problemOf(new TypeError("kpis is undefined"));
  assert.deepEqual([wrong.kind, wrong.detail], ["malformed", "kpis is undefined"]);
  assert.equal(problemOf("thrown text").detail, "thrown text");
  const refused = new Problem("refused", 404, "");
  assert.equal(problemOf(refused), refused);
});

test("the end of the session is announced", () => {
  let ended = 0;
  const stop = signedOut.listen(() => {
    ended += 1;
  });
  problemOf(new Problem("refused", 401, ""));
  problemOf(new Problem("refused", 403, ""));
  stop();
  assert.equal(ended, 1);
});
