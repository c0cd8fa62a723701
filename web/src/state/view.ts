/** The view as the address holds it. Pure: an address gives one view, and a view gives one address. */

import { isDay } from "./seoul.ts";

export const PAGES = [
  "nation",
  "programme",
  "region",
  "zone",
  "sponsor",
  "factories",
  "factory",
  "machine",
  "definitions",
] as const;
export type Page = (typeof PAGES)[number];
export const INTERVALS = ["day", "month"] as const;
export type Interval = (typeof INTERVALS)[number];
export const LANGUAGES = ["ko", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export const COHORTS = ["sector", "region", "level", "size", "zone", "sponsor", "nation"] as const;
export type Cohort = (typeof COHORTS)[number];
export type Order = "asc" | "desc";

/** What is looked at. Empty texts mean: not narrowed; null days mean: the default, chosen from what is accounted. */
export interface View {
  page: Page;
  /** As the API writes scopes: `nation`, `region:KR-48`, `zone:Z1`, `factory:F1`, `machine:F1/M1`. */
  scope: string;
  kpi: string;
  /** First day of the window, and the day after its last. */
  from: string | null;
  to: string | null;
  interval: Interval;
  lang: Language;
  /** The day whose states a factory's or machine's page shows. */
  day: string | null;
  /** What a factory is compared with. */
  cohort: Cohort;
  q: string;
  region: string;
  sector: string;
  level: string;
  zone: string;
  sponsor: string;
  sort: string;
  order: Order;
}

export const DEFAULT_KPI = "availability";
const KPI_PATTERN = /^[a-z][a-z0-9_]*$/;
const SCOPES: Record<Page, RegExp> = {
  nation: /^nation$/,
  programme: /^nation$/,
  region: /^region:KR-\d{2}$/,
  zone: /^zone:[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  sponsor: /^sponsor:[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  factories: /^nation$/,
  factory: /^factory:[A-Z0-9][A-Z0-9_-]{0,31}$/,
  machine: /^machine:[A-Z0-9][A-Z0-9_-]{0,31}\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  definitions: /^nation$/,
};
export const FILTERS = ["region", "sector", "level", "zone", "sponsor"] as const;
export type Filter = (typeof FILTERS)[number];
const NARROWING = ["q", ...FILTERS] as const;

/** The view when nothing is said. */
export function defaultView(lang: Language): View {
  return {
    page: "nation",
    scope: "nation",
    kpi: DEFAULT_KPI,
    from: null,
    to: null,
    interval: "day",
    lang,
    day: null,
    cohort: "sector",
    q: "",
    region: "",
    sector: "",
    level: "",
    zone: "",
    sponsor: "",
    sort: "name",
    order: "asc",
  };
}

function one<T extends string>(known: readonly T[], text: string | null, otherwise: T): T {
  return known.find((value) => value === text) ?? otherwise;
}

function day(text: string | null): string | null {
  return text !== null && isDay(text) ? text : null;
}

/** The view that an address's query names; what it does not say, or says wrongly, is the default. */
export function parseView(query: string, lang: Language): View {
  const said = new URLSearchParams(query);
  const view = defaultView(lang);
  const page = one(PAGES, said.get("page"), "nation");
  const scope = said.get("scope") ?? "nation";
  if (SCOPES[page].test(scope)) {
    view.page = page;
    view.scope = scope;
  }
  const kpi = said.get("kpi") ?? "";
  view.kpi = KPI_PATTERN.test(kpi) ? kpi : DEFAULT_KPI;
  const [from, to] = [day(said.get("from")), day(said.get("to"))];
  if (from !== null && to !== null && from < to) {
    view.from = from;
    view.to = to;
  }
  view.interval = one(INTERVALS, said.get("interval"), "day");
  view.lang = one(LANGUAGES, said.get("lang"), lang);
  view.day = day(said.get("day"));
  view.cohort = one(COHORTS, said.get("cohort"), "sector");
  view.order = one(["asc", "desc"], said.get("order"), "asc");
  view.sort = said.get("sort") ?? view.sort;
  for (const name of NARROWING) {
    view[name] = said.get(name) ?? "";
  }
  return view;
}

/** The query that names a view: page, scope, KPI, window and language always, the rest where it is not the default. */
export function writeView(view: View): string {
  const usual = defaultView(view.lang);
  const said = new URLSearchParams({ page: view.page, scope: view.scope, kpi: view.kpi });
  if (view.from !== null && view.to !== null) {
    said.set("from", view.from);
    said.set("to", view.to);
  }
  said.set("interval", view.interval);
  said.set("lang", view.lang);
  if (view.day !== null) {
    said.set("day", view.day);
  }
  for (const name of ["cohort", ...NARROWING, "sort", "order"] as const) {
    if (view[name] !== usual[name]) {
      said.set(name, view[name]);
    }
  }
  return `?${said.toString().replaceAll("%3A", ":").replaceAll("%2F", "/")}`;
}

/** A view of another page. The KPI, the window and the language stay; what narrowed the old page does not. */
export function viewOf(view: View, page: Page, scope = "nation", more: Partial<View> = {}): View {
  const { kpi, from, to, interval, cohort } = view;
  return { ...defaultView(view.lang), kpi, from, to, interval, cohort, page, scope, ...more };
}

/** The id that a scope such as `region:KR-48` names; empty for the nation. */
export function idOf(scope: string): string {
  return scope.slice(scope.indexOf(":") + 1).replace(/^nation$/, "");
}

/** Factory and machine of a scope such as `machine:F1/M1`. */
export function machineOf(scope: string): { factory: string; machine: string } {
  const [factory = "", machine = ""] = idOf(scope).split("/");
  return { factory, machine };
}
