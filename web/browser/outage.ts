/** The API refuses, is away, and comes back: each said in a sentence, with another try that works. */

import type { BrowserContext } from "playwright-core";
import { open, settle, WIDE } from "./browser.ts";
import type { Report } from "./report.ts";
import type { Plan } from "./tour.ts";

export async function walkOutage(
  context: BrowserContext,
  plan: Plan,
  report: Report,
  ask: (what: "stop" | "start") => Promise<void>,
): Promise<void> {
  const listened = await open(context);
  const { page } = listened;
  await page.setViewportSize(WIDE);
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
  await page.close();
}
