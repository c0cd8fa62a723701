/** Walks through the whole dashboard in a real browser, on a running stack whose data do not change.
 *
 * Reads its plan as JSON from the environment variable TOUR, and writes a report. To have the API stopped or started, it
 * prints a line and waits for one on its input.
 */

import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { launch } from "./browser.ts";
import { Api } from "./kpis.ts";
import { walkPages } from "./pages.ts";
import type { Plan } from "./plan.ts";
import { Report } from "./report.ts";
import { walkSessions } from "./sessions.ts";
import { walkStates } from "./states.ts";
import { walkUse } from "./use.ts";

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test that started the tour to stop or start the API. */
async function ask(what: "stop" | "start"): Promise<void> {
  console.log(what);
  await answers.next();
}

const plan = JSON.parse(process.env["TOUR"] ?? "") as Plan;
mkdirSync(plan.screenshots, { recursive: true });
const report = new Report(plan.report);
const api = new Api(plan.url, plan.key);
const browser = await launch(plan.chromium);
try {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "America/New_York" });
  await report.part("signing in", () => walkSessions(browser, context, plan, report));
  await report.part("pages", () => walkPages(context, plan, api, report));
  await report.part("use", () => walkUse(context, plan, api, report));
  await report.part("states", () => walkStates(context, plan, report, ask));
} finally {
  report.write();
  await browser.close();
  process.stdin.destroy();
}
