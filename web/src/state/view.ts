/** The view and its address. Pure: each address has one view, and each view has one address. */

import { LANGUAGES, type Language } from "../words/language.ts";
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
export const COHORTS = ["sector", "region", "level", "size", "zone", "sponsor", "nation"] as const;
export type Cohort = (typeof COHORTS)[number];
export type Order = "asc" | "desc";

/** What the page shows. Empty texts are unset filters; null days are defaults, derived from what is accounted. */
export interface View {
  page: Page;
  /** In the API's form: `nation`, `region:KR-48`, `zone:Z1`, `factory:F1`, `machine:F1/M1`. */
  scope: string;
  kpi: string;
  /** The window, as dates in Seoul; `to` is exclusive. */
  from: string | null;
  to: string | null;
  interval: Interval;
  lang: Language;
  /** The day whose states are shown on the page of a factory or machine. */
  day: string | null;
  /** The cohort that a factory is compared with. */
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

/** Returns the default view. */
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

function oneOf<T extends string>(known: readonly T[], text: string | null, fallback: T): T {
  return known.find((value) => value === text) ?? fallback;
}

function dayIn(text: string | null): string | null {
  return text !== null && isDay(text) ? text : null;
}

/** Parses an address's query; what is missing or invalid gets its default. */
export function parseView(query: string, lang: Language): View {
  const params = new URLSearchParams(query);
  const view = defaultView(lang);
  const page = oneOf(PAGES, params.get("page"), "nation");
  const scope = params.get("scope") ?? "nation";
  if (SCOPES[page].test(scope)) {
    view.page = page;
    view.scope = scope;
  }
  const kpi = params.get("kpi") ?? "";
  view.kpi = KPI_PATTERN.test(kpi) ? kpi : DEFAULT_KPI;
  const [from, to] = [dayIn(params.get("from")), dayIn(params.get("to"))];
  if (from !== null && to !== null && from < to) {
    view.from = from;
    view.to = to;
  }
  view.interval = oneOf(INTERVALS, params.get("interval"), "day");
  view.lang = oneOf(LANGUAGES, params.get("lang"), lang);
  view.day = dayIn(params.get("day"));
  view.cohort = oneOf(COHORTS, params.get("cohort"), "sector");
  view.order = oneOf(["asc", "desc"], params.get("order"), "asc");
  view.sort = params.get("sort") ?? view.sort;
  for (const name of NARROWING) {
    view[name] = params.get(name) ?? "";
  }
  return view;
}

/** Writes a view as a query: page, scope, KPI, window and language always, the rest if it is not the default. */
export function writeView(view: View): string {
  const defaults = defaultView(view.lang);
  const params = new URLSearchParams({ page: view.page, scope: view.scope, kpi: view.kpi });
  if (view.from !== null && view.to !== null) {
    params.set("from", view.from);
    params.set("to", view.to);
  }
  params.set("interval", view.interval);
  params.set("lang", view.lang);
  if (view.day !== null) {
    params.set("day", view.day);
  }
  for (const name of ["cohort", ...NARROWING, "sort", "order"] as const) {
    if (view[name] !== defaults[name]) {
      params.set(name, view[name]);
    }
  }
  return `?${params.toString().replaceAll("%3A", ":").replaceAll("%2F", "/")}`;
}

/** Returns a view of another page that keeps KPI, window and language, and drops the filters. */
export function viewOf(view: View, page: Page, scope = "nation", more: Partial<View> = {}): View {
  const { kpi, from, to, interval, cohort } = view;
  return { ...defaultView(view.lang), kpi, from, to, interval, cohort, page, scope, ...more };
}

/** Returns the id in a scope such as `region:KR-48`; empty for the nation. */
export function idOf(scope: string): string {
  return scope.slice(scope.indexOf(":") + 1).replace(/^nation$/, "");
}

/** Returns factory and machine of a scope such as `machine:F1/M1`. */
export function machineOf(scope: string): { factory: string; machine: string } {
  const [factory = "", machine = ""] = idOf(scope).split("/");
  return { factory, machine };
}
