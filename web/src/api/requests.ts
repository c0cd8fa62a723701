/** The questions that the dashboard asks, each one request (lists: one for each page of 10,000). */

import { getCsv, getJson, type Parameters } from "./client.ts";
import type { Definitions, Factory, KpiItem, KpiPage, Machine, Named, Programme, Session, Timeline } from "./types.ts";

export interface Window {
  /** Seoul days; `to` is the day after the last. */
  from: string;
  to: string;
}

export const readSession = (signal?: AbortSignal) => getJson<Session>("/v1/sessions/current", {}, signal);
export const readDefinitions = (signal?: AbortSignal) => getJson<Definitions>("/v1/kpi-definitions", {}, signal);
export const readProgramme = (signal?: AbortSignal) => getJson<Programme>("/v1/programme", {}, signal);

export const readMachine = (factory: string, id: string, signal?: AbortSignal) =>
  getJson<Machine>(`/v1/factories/${encodeURIComponent(factory)}/machines/${encodeURIComponent(id)}`, {}, signal);

/** A factory as lists show it, which says its enterprise's name and size too. */
export async function readFactory(id: string, signal?: AbortSignal): Promise<Factory> {
  const { items } = await getJson<{ items: Factory[] }>("/v1/factories", { q: id, limit: "100" }, signal);
  const listed = items.find((factory) => factory.factory_id === id);
  return listed ?? getJson<Factory>(`/v1/factories/${encodeURIComponent(id)}`, {}, signal);
}

/** KPIs in total, by day or by month.
 *
 * `scopes` are intersected; `groupBy` splits them.
 */
export function readKpis(
  scopes: string[],
  window: Window,
  kpis: string[],
  more: { groupBy?: string; interval?: string } = {},
  signal?: AbortSignal,
): Promise<KpiPage> {
  return getJson<KpiPage>("/v1/kpis", kpiParameters(scopes, window, kpis, more), signal);
}

function kpiParameters(
  scopes: string[],
  window: Window,
  kpis: string[],
  { groupBy, interval = "total" }: { groupBy?: string; interval?: string },
): Parameters {
  return {
    scope: scopes,
    ...(groupBy === undefined ? {} : { group_by: groupBy }),
    interval,
    from: window.from,
    to: window.to,
    kpi: kpis,
    limit: "10000",
  };
}

/** One machine's states and counts of one Seoul day. */
export function readTimeline(factory: string, machine: string, window: Window, signal?: AbortSignal) {
  const path = `/v1/factories/${encodeURIComponent(factory)}/machines/${encodeURIComponent(machine)}/timeline`;
  return getJson<Timeline>(path, { from: window.from, to: window.to }, signal);
}

/** A factory's machines, with where they are in use. */
export async function readMachines(factory: string, signal?: AbortSignal): Promise<Machine[]> {
  const machines: Machine[] = [];
  const path = `/v1/factories/${encodeURIComponent(factory)}/machines`;
  await getCsv(
    path,
    {},
    (rows) => {
      machines.push(
        ...rows.map((row) => ({
          machine_id: row["machine_id"] ?? "",
          name: row["name"] ?? "",
          kind: row["kind"] ?? "",
          automation: row["automation"] ?? "",
        })),
      );
    },
    signal,
  );
  return machines;
}

/** Every zone, or every sponsor, with its name. */
export async function readNamed(kind: "zone" | "sponsor", signal?: AbortSignal): Promise<Named[]> {
  const named: Named[] = [];
  const add = (rows: Record<string, string>[]) =>
    named.push(...rows.map((row) => ({ id: row[`${kind}_id`] ?? "", name: row["name"] ?? "" })));
  await getCsv(`/v1/${kind}s`, {}, add, signal);
  return named;
}

/** Every factory of the list that passes the filters, page by page. */
export function readFactories(
  filters: Parameters,
  onPage: (factories: Factory[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  return getCsv("/v1/factories", filters, (rows) => onPage(rows.map(factoryOf)), signal);
}

function factoryOf(row: Record<string, string>): Factory {
  return {
    factory_id: row["factory_id"] ?? "",
    name: row["name"] ?? "",
    enterprise_id: row["enterprise_id"] ?? "",
    enterprise_name: row["enterprise_name"] ?? "",
    region: row["region"] ?? "",
    sector: row["sector"] ?? "",
    level: row["level"] ?? "",
    zone: row["zone"] || null,
    sponsor: row["sponsor"] || null,
    size: row["size"] || null,
    machines: Number(row["machines"] ?? 0),
  };
}

/** One KPI of every factory in a scope, page by page. */
export function readFactoryKpis(
  scopes: string[],
  window: Window,
  kpi: string,
  onPage: (items: KpiItem[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  const parameters = kpiParameters(scopes, window, [kpi], { groupBy: "factory" });
  return getCsv("/v1/kpis", parameters, (rows) => onPage(rows.map((row) => itemOf(row, kpi))), signal);
}

function itemOf(row: Record<string, string>, kpi: string): KpiItem {
  const number = (name: string) => Number(row[name] ?? 0);
  const optional = (name: string) => (row[name] ? Number(row[name]) : null);
  return {
    scope: row["scope"] ?? "",
    from: row["from"] ?? "",
    to: row["to"] ?? "",
    partial: row["partial"] === "true",
    factories: number("factories"),
    machines: number("machines"),
    time_s: {} as KpiItem["time_s"],
    counts: { good: number("good"), scrap: number("scrap"), rework: number("rework") },
    kpis: {
      [kpi]: {
        value: optional(kpi),
        numerator: number(`${kpi}_numerator`),
        denominator: number(`${kpi}_denominator`),
        reason: row[`${kpi}_reason`] || null,
        flags: (row[`${kpi}_flags`] ?? "").split(/[ ;|]+/).filter((flag) => flag !== ""),
      },
    },
    coverage: optional("coverage"),
    suppressed: row["suppressed"] === "true",
  };
}
