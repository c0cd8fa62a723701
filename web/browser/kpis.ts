/** Compares every KPI on a page with the API's own response, requested separately with a key. */

import type { Page } from "playwright-core";
import type { KpiItem, KpiPage, KpiValue, PublishedDefinitions, ValueUnit } from "../src/api/openapi.ts";

interface Shown {
  kpi: string;
  scope: string;
  from: string;
  to: string;
  value: string;
  reason: string;
  text: string;
  words: string;
}

/** A client of the API. Responses are cached: the stack does not change while the tour runs. */
export class Api {
  private readonly cache = new Map<string, Promise<KpiItem | null>>();

  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async get(path: string): Promise<unknown> {
    const answer = await fetch(this.url + path, { headers: { Authorization: `Bearer ${this.key}` } });
    if (!answer.ok) {
      throw new Error(`${answer.status} ${path}: ${await answer.text()}`);
    }
    return answer.json();
  }

  /** Returns the unit of each KPI's value. */
  async units(): Promise<ReadonlyMap<string, ValueUnit>> {
    const { kpis } = (await this.get("/v1/kpi-definitions")) as PublishedDefinitions;
    return new Map(kpis.map(({ id, value_unit }) => [id, value_unit]));
  }

  /** Returns the one item of a scope and window, with all KPIs, or null. */
  item(scope: string, from: string, to: string): Promise<KpiItem | null> {
    const query = new URLSearchParams([...scope.split("&").map((one) => ["scope", one]), ["from", from], ["to", to]]);
    const path = `/v1/kpis?${query}`;
    const found = this.cache.get(path) ?? this.get(path).then((page) => (page as KpiPage).items[0] ?? null);
    this.cache.set(path, found);
    return found;
  }
}

/** Returns every KPI on the page. */
export function shownKpis(page: Page): Promise<Shown[]> {
  return page.$$eval("[data-kpi]", (elements) =>
    elements.map((element) => {
      const of = (name: string) => element.getAttribute(`data-${name}`) ?? "";
      return {
        kpi: of("kpi"),
        scope: of("scope"),
        from: of("from"),
        to: of("to"),
        value: of("value"),
        reason: of("reason"),
        text: [...element.querySelectorAll(".value")].map((part) => part.textContent ?? "").join(" "),
        words: `${element.textContent ?? ""} ${element.getAttribute("aria-label") ?? ""}`,
      };
    }),
  );
}

/** Formats a duration, independently of the page's own code. */
function durationText(seconds: number, lang: string): string {
  const unit = lang === "ko" ? ["시간", "분", "초"] : [" h", " min", " s"];
  const inMinutes = Math.round(seconds) >= 3600;
  const whole = inMinutes ? Math.round(seconds / 60) * 60 : Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const texts = parts.map((part, n) => `${String(part).replace(/\B(?=(\d{3})+$)/g, ",")}${unit[n]}`);
  return texts.filter((_, n) => (parts[n] ?? 0) > 0).join(" ") || `0${unit[2]}`;
}

/** Returns the expected text of a value. */
function expectedText(unit: ValueUnit | undefined, value: number, lang: string): string {
  if (unit === "h") {
    return durationText(value * 3600, lang);
  }
  if (unit === "1/h") {
    const number = value.toLocaleString("en-US", { maximumFractionDigits: 1 });
    return lang === "ko" ? `${number}개/h` : `${number} /h`;
  }
  return value.toLocaleString("en-US", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Returns the faults of one KPI. */
function faultsOf(shown: Shown, answer: KpiValue | undefined, unit: ValueUnit | undefined, lang: string): string[] {
  const name = `${shown.kpi} of ${shown.scope} ${shown.from}`;
  if (answer === undefined) {
    return [`${name}: the API has no such KPI`];
  }
  const found: string[] = [];
  if (answer.value === null) {
    if (shown.value !== "" || shown.reason !== answer.reason || /\d/.test(shown.text) || shown.text.trim() === "") {
      found.push(`${name}: null because of ${answer.reason}, shown as ${shown.text} (${shown.reason})`);
    }
  } else {
    const text = expectedText(unit, answer.value, lang);
    if (Number(shown.value) !== answer.value || shown.text !== text) {
      found.push(`${name}: is ${answer.value} (${text}), shown as ${shown.text} (${shown.value})`);
    }
  }
  const words: Record<string, RegExp> = {
    low_coverage: /little data|데이터 부족/,
    above_range: /above range|범위 초과/,
    suspect_ideal_cycle: /suspect cycle|사이클 의심/,
    declared_far_above: /more declared|등록 과다/,
  };
  for (const flag of answer.flags) {
    if (!(words[flag] ?? /$^/).test(shown.words)) {
      found.push(`${name}: the flag ${flag} is not in ${shown.words}`);
    }
  }
  return found;
}

/** Returns the number of KPIs on a page, and their faults. */
export async function checkKpis(page: Page, api: Api, lang: string): Promise<{ count: number; faults: string[] }> {
  const shown = await shownKpis(page);
  const units = await api.units();
  const found = await Promise.all(
    shown.map(async (kpi) => {
      const item = await api.item(kpi.scope, kpi.from, kpi.to);
      return faultsOf(kpi, item?.kpis[kpi.kpi], units.get(kpi.kpi), lang);
    }),
  );
  return { count: shown.length, faults: found.flat() };
}
