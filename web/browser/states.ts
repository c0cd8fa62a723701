/** The states beside the usual one: nothing there, refused, away, back again, session over. Each says what to do. */

import type { BrowserContext } from "playwright-core";
import { open, settle, WIDE } from "./browser.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";

export async function walkStates(
  context: BrowserContext,
  plan: Plan,
  report: Report,
  ask: (what: "stop" | "start") => Promise<void>,
): Promise<void> {
  const listened = await open(context);
  const { page } = listened;
  await page.setViewportSize(WIDE);
  const before = "kpi=availability&from=2017-01-01&to=2017-01-31";
  await page.goto(`${plan.url}/?lang=en&page=region&scope=region:${plan.region}&${before}`);
  await settle(page);
  const nothing = await page.locator(".panel .empty").allInnerTexts();
  report.expect("an empty window says so", nothing.length >= 3, nothing.join("\n"));
  await page.screenshot({ path: `${plan.screenshots}/empty-en.png`, fullPage: true });
  report.add("states: nothing complains about nothing", listened.take());

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
  report.expect("an outage is said", /does not answer/.test(away), away);
  await page.screenshot({ path: `${plan.screenshots}/outage-en.png`, fullPage: true });
  await ask("start");
  while ((await page.getByRole("button", { name: "Try again" }).count()) > 0) {
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.waitForTimeout(100);
  }
  await settle(page);
  const back = await page.locator('.tile [data-kpi="oee"]').count();
  report.expect("another try brings the figures", back > 0, `${back}`);

  await context.clearCookies();
  await page.selectOption("select", "availability");
  await page.waitForSelector('[data-page="signed-out"]');
  const ended = await page.innerText('[data-page="signed-out"]');
  report.expect("a session that ends leads to a new link", /jejo keys login-link/.test(ended), ended);
  await page.close();
}
