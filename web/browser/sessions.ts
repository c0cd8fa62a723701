/** Checks signing in and out: login links and their second use, and the first page of each role. */

import type { Browser, BrowserContext } from "playwright-core";
import { open, PHONE, settle, WIDE } from "./browser.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";

const SIGNED_OUT = '[data-page="signed-out"]';
const COMMAND = "jejo keys login-link --role ministry --name me";

/** @param context is signed in as the ministry when this is done. */
export async function walkSessions(
  browser: Browser,
  context: BrowserContext,
  plan: Plan,
  report: Report,
): Promise<void> {
  const { page } = await open(context);
  await page.setViewportSize(WIDE);
  for (const [lang, title] of [
    ["en", "You are not signed in"],
    ["ko", "로그인되어 있지 않습니다"],
  ] as const) {
    await page.goto(`${plan.url}/?lang=${lang}`);
    await page.waitForSelector(SIGNED_OUT);
    const text = await page.innerText(SIGNED_OUT);
    report.expect(`signed out, ${lang}`, text.includes(title) && text.includes(COMMAND), text);
    await page.screenshot({ path: `${plan.screenshots}/signed-out-${lang}.png` });
  }
  await page.goto(plan.links.ministry);
  await page.waitForSelector('main[data-page="nation"]');
  await settle(page);
  report.expect("the token is removed from the address", !page.url().includes("login="), page.url());
  const readable = await page.evaluate(() => document.cookie);
  report.expect("scripts cannot read the session cookie", readable === "", readable);
  await page.close();
  await roles(browser, plan, report);
}

/** Each role begins on its own page; a used link is explained. */
async function roles(browser: Browser, plan: Plan, report: Report): Promise<void> {
  const context = await browser.newContext({ viewport: PHONE, locale: "ko-KR" });
  const watched = await open(context);
  const { page } = watched;
  await page.goto(plan.links.region);
  await page.waitForSelector('main[data-page="region"]');
  await settle(page);
  report.add("a regional officer's page", watched.takeMessages());
  await page.goto(`${plan.url}/?page=factory&scope=factory:${plan.factory}&day=${plan.day}`);
  await settle(page);
  report.add("a regional officer's factory", watched.takeMessages());
  const beside = await page.$$eval(".panel-comparison [data-scope]", (all) => all.map((one) => one.dataset["scope"]));
  report.expect(
    "compared with the cohort in the region",
    beside.some((scope) => scope?.startsWith(`region:${plan.region}&sector:`)),
    beside.join(" "),
  );
  report.expect("Korean in a Korean browser", (await page.getAttribute("html", "lang")) === "ko");
  await page.getByRole("button", { name: "로그아웃" }).click();
  await page.waitForSelector(SIGNED_OUT);
  watched.takeMessages();
  await page.goto(plan.links.region);
  await page.waitForSelector(SIGNED_OUT);
  report.expect("a login link works once", (await page.innerText(SIGNED_OUT)).includes("이미 사용되었거나"));
  watched.takeMessages();
  await page.goto(plan.links.factory);
  await page.waitForSelector('main[data-page="factory"]');
  await settle(page);
  report.add("a factory's owner: no forbidden request", watched.takeMessages());
  const alone = await page.innerText(".panel-comparison");
  report.expect("a factory's owner: the limit is explained", /권한/.test(alone), alone);
  await page.screenshot({ path: `${plan.screenshots}/factory-owner-phone-ko.png`, fullPage: true });
  await page.locator("[data-kpi]").first().click();
  const top = await page.locator(".sheet-value").boundingBox();
  report.expect("a sheet opens at its value", top !== null && top.y > 0 && top.y < PHONE.height, `${top?.y}`);
  await page.keyboard.press("Escape");
  await page.goto(`${plan.url}/?page=factories&scope=nation`);
  await page.waitForSelector('main[data-page="factory"]');
  await page.getByRole("button", { name: "로그아웃" }).click();
  await page.waitForSelector(SIGNED_OUT);
  watched.takeMessages();
  await page.goto(plan.links.researcher);
  await page.waitForSelector('main[data-page="definitions"]');
  const text = await page.innerText("main");
  report.add("a researcher's page", watched.takeMessages());
  report.expect("a researcher is referred to SQL", /machine_hour/.test(text) && /시간가동률/.test(text), text);
  await page.screenshot({ path: `${plan.screenshots}/researcher-phone-ko.png`, fullPage: true });
  await context.close();
}
