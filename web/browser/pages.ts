/** Every page in both languages, wide and on a phone: figures equal the API's, nothing complains, nothing sticks out. */

import type { BrowserContext, Page } from "playwright-core";
import { type Listened, open, PHONE, settle, WIDE } from "./browser.ts";
import { type Api, checkFigures } from "./figures.ts";
import { emptySpaces, layoutShift } from "./layout.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";

const LANGUAGES = ["ko", "en"] as const;
const FIRST_FIGURE_MS = 1000;
/** Of space between a panel's content and its padding, about one line of text. */
const MOST_EMPTY_PX = 24;
/** A busy machine may be slow once or twice. */
const OPENINGS = 5;

/** Where each page is, and how many figures it must show at least. */
function addresses(plan: Plan): [name: string, query: string, figures: number][] {
  const window = `kpi=availability&from=${plan.from}&to=${plan.to}`;
  return [
    ["nation", `page=nation&scope=nation&${window}`, 12],
    ["programme", `page=programme&scope=nation&${window}`, 1],
    ["region", `page=region&scope=region:${plan.region}&${window}`, 10],
    ["zone", `page=zone&scope=zone:${plan.zone}&${window}`, 8],
    ["factories", `page=factories&scope=nation&${window}`, 10],
    ["factory", `page=factory&scope=factory:${plan.factory}&${window}&day=${plan.day}`, 30],
    ["machine", `page=machine&scope=machine:${plan.factory}/${plan.machine}&${window}&day=${plan.day}`, 16],
    ["machine-today", `page=machine&scope=machine:${plan.factory}/${plan.machine}&${window}&day=${plan.today}`, 16],
    ["ghost", `page=factory&scope=factory:${plan.ghost}&${window}&day=${plan.day}`, 30],
    ["definitions", "page=definitions&scope=nation", 0],
  ];
}

export async function walkPages(context: BrowserContext, plan: Plan, api: Api, report: Report): Promise<void> {
  const listened = await open(context);
  const { page } = listened;
  for (const [name, query, least] of addresses(plan)) {
    for (const lang of LANGUAGES) {
      await page.setViewportSize(WIDE);
      await page.goto(`${plan.url}/?${query}&lang=${lang}`);
      await settle(page);
      await look(listened, `${name}, ${lang}`, report);
      const shift = await layoutShift(page);
      report.expect(`${name}, ${lang}: no layout jumps`, shift < 0.05, String(shift));
      report.add(`${name}, ${lang}: no empty space`, await emptySpaces(page, MOST_EMPTY_PX));
      const { count, wrong } = await checkFigures(page, api, lang);
      report.add(`${name}, ${lang}: figures`, wrong);
      report.expect(`${name}, ${lang}: enough figures`, count >= least, `${count} figures, not ${least}`);
      await page.screenshot({ path: `${plan.screenshots}/${name}-${lang}.png`, fullPage: true });
      await page.setViewportSize(PHONE);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await look(listened, `${name}, ${lang}, phone`, report);
      if (lang === "ko") {
        await page.screenshot({ path: `${plan.screenshots}/${name}-phone-ko.png`, fullPage: true });
      }
    }
  }
  await tiles(page, plan, report);
  await firstFigure(listened, plan, api, report);
  await page.close();
}

/** Language, width, silence. */
async function look(listened: Listened, name: string, report: Report): Promise<void> {
  const { page } = listened;
  report.add(`${name}: nothing complains`, listened.take());
  const seen = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    unexplained: [...document.querySelectorAll("main .figure.plain .marks [aria-hidden]")]
      .flatMap((marks) => [...(marks.textContent ?? "")])
      .filter((sign) => ![...document.querySelectorAll(".mark-legend")].some((one) => one.textContent?.includes(sign))),
    nameless: [...document.querySelectorAll("button, a, [role=button], select, input")].filter(
      (part) => !(part.textContent || part.getAttribute("aria-label") || part.closest("label")?.textContent),
    ).length,
  }));
  report.expect(`${name}: language`, name.includes(`, ${seen.lang}`), seen.lang);
  report.expect(`${name}: title`, /Jejo|제조/.test(seen.title), seen.title);
  report.expect(`${name}: fits`, seen.tooWide <= 0, `${seen.tooWide} px too wide`);
  report.add(`${name}: every mark is explained`, seen.unexplained);
  report.expect(`${name}: names`, seen.nameless === 0, `${seen.nameless} controls without a name`);
}

/** No figure in a tile sticks out of it, however long it is in words. */
async function tiles(page: Page, plan: Plan, report: Report): Promise<void> {
  for (const [kpi, lang] of [
    ["throughput_per_h", "ko"],
    ["mttr_h", "en"],
  ]) {
    await page.goto(`${plan.url}/?page=nation&scope=nation&kpi=${kpi}&from=${plan.from}&to=${plan.to}&lang=${lang}`);
    await settle(page);
    const out = await page.$$eval(".tile", (all) =>
      all.flatMap((tile) => {
        const right = tile.querySelector("a rect")?.getBoundingClientRect().right ?? 0;
        return [...tile.querySelectorAll("text")]
          .filter((text) => text.getBoundingClientRect().right > right)
          .map((text) => text.textContent ?? "");
      }),
    );
    report.add(`tiles, ${kpi}, ${lang}: nothing sticks out`, out);
  }
}

/** Milliseconds that the API alone takes for what the first figure needs, one after the other. */
async function answering(plan: Plan, api: Api): Promise<number> {
  const window = `from=${plan.from}&to=${plan.to}`;
  const began = Date.now();
  await api.get("/v1/kpi-definitions");
  await api.get(`/v1/kpis?${window}&kpi=coverage`);
  await api.get(`/v1/kpis?${window}&kpi=auto_collected_share&kpi=automatic_production_share`);
  return Date.now() - began;
}

/** A figure shows within a second of opening, what the API takes on a busy machine aside. */
async function firstFigure(listened: Listened, plan: Plan, api: Api, report: Report): Promise<void> {
  const { page } = listened;
  await page.setViewportSize(WIDE);
  const took: number[] = [];
  while (took.length < OPENINGS && Math.min(...took) > FIRST_FIGURE_MS) {
    const aside = await answering(plan, api);
    const began = Date.now();
    await page.goto(`${plan.url}/?lang=en`);
    await page.waitForSelector("[data-kpi]");
    took.push(Date.now() - began - aside);
    console.error(`first figure: ${Date.now() - began} ms, of which the API ${aside} ms`);
    await settle(page);
  }
  report.expect("a figure within a second", Math.min(...took) <= FIRST_FIGURE_MS, `${took.join(", ")} ms`);
  report.add("nothing complains", listened.take());
}
