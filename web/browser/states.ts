/** Checks unusual states: no data, refusals, outages and recovery, malformed responses, the end of a session. Each says what to do. */

import type { BrowserContext, Page } from "playwright-core";
import { open, settle, WIDE } from "./browser.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";

export async function walkStates(
  context: BrowserContext,
  plan: Plan,
  report: Report,
  ask: (what: "stop" | "start") => Promise<void>,
): Promise<void> {
  const watched = await open(context);
  const { page } = watched;
  await page.setViewportSize(WIDE);
  const before = "kpi=availability&from=2017-01-01&to=2017-01-31";
  await page.goto(`${plan.url}/?lang=en&page=region&scope=region:${plan.region}&${before}`);
  await settle(page);
  const nothing = await page.locator(".panel .empty").allInnerTexts();
  report.expect("an empty period is explained", nothing.length >= 3, nothing.join("\n"));
  await page.screenshot({ path: `${plan.screenshots}/empty-en.png`, fullPage: true });
  report.add("an empty period: no errors or warnings", watched.takeMessages());

  await page.goto(`${plan.url}/?lang=en&page=factory&scope=factory:NOWHERE`);
  await page.waitForSelector(".failure");
  const sentence = (await page.locator(".failure").allInnerTexts()).join("\n");
  report.expect("a refusal shows the API's own sentence", /There is no factory NOWHERE/.test(sentence), sentence);
  await page.screenshot({ path: `${plan.screenshots}/refused-en.png` });

  await page.goto(`${plan.url}/?lang=en&page=nation&scope=nation&kpi=availability&from=${plan.from}&to=${plan.to}`);
  await settle(page);
  await ask("stop");
  await page.selectOption("select", "oee");
  await page.waitForSelector('[data-state="error"]');
  const away = (await page.locator(".failure").allInnerTexts()).join("\n");
  report.expect("an outage is explained", /does not answer/.test(away), away);
  await page.screenshot({ path: `${plan.screenshots}/outage-en.png`, fullPage: true });
  await ask("start");
  await retryAll(page);
  const back = await page.locator('.tile [data-kpi="oee"]').count();
  report.expect("trying again loads the KPIs", back > 0, `${back}`);

  await malformed(page, plan, report);

  await context.clearCookies();
  await page.selectOption("select", "oee");
  await page.waitForSelector('[data-page="signed-out"]');
  const ended = await page.innerText('[data-page="signed-out"]');
  report.expect("the end of a session leads to a new login link", /jejo keys login-link/.test(ended), ended);
  await page.close();
}

/** Checks that malformed responses are shown as failures, and that trying again recovers. */
async function malformed(page: Page, plan: Plan, report: Report): Promise<void> {
  const window = `kpi=availability&from=${plan.from}&to=${plan.to}`;
  const answers: [name: string, pattern: string, body: string][] = [
    ["a page of HTML", "**/v1/kpis?*", "<!doctype html><title>Sign in to the network</title>"],
    ["JSON that breaks off", "**/v1/kpis?*", '{"items": [{"scope": "na'],
    ["a list without items", "**/v1/factories?*", '{"next_cursor": null}'],
    ["items without KPIs", "**/v1/kpis?*", '{"items": [{"scope": "region:KR-11"}], "next_cursor": null}'],
  ];
  for (const [name, pattern, body] of answers) {
    await page.goto(`${plan.url}/?lang=en&page=definitions&scope=nation`);
    await settle(page);
    await page.route(pattern, (route) => route.fulfill({ contentType: "application/json", body }));
    // Navigates without reloading, so that only the page's own requests get this response.
    await page.evaluate((view) => {
      history.pushState(null, "", view);
      dispatchEvent(new PopStateEvent("popstate"));
    }, `?lang=en&page=region&scope=region:${plan.region}&${window}`);
    await page.waitForSelector(".failure");
    const failure = (await page.locator(".failure").allInnerTexts()).join("\n");
    report.expect(`${name}: explained`, /cannot read/.test(failure), failure);
    await page.unroute(pattern);
    await retryAll(page);
    const kpis = await page.locator("main [data-kpi]").count();
    report.expect(`${name}: trying again recovers`, kpis > 8, `${kpis} KPIs`);
  }
}

async function retryAll(page: Page): Promise<void> {
  const again = page.getByRole("button", { name: "Try again" });
  const until = Date.now() + 20_000;
  while ((await again.count()) > 0 && Date.now() < until) {
    // A button may vanish before it is clicked, if its panel has just loaded.
    await again
      .first()
      .click({ timeout: 1000 })
      .catch(() => undefined);
    await settle(page);
  }
}
