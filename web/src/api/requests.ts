/** The dashboard's requests, one for each question (lists: one for each page). */

import { getJson, getPage, getPages, type Item, type ListPath, PAGE_LIMIT, type Parameters } from "./client.ts";
import type {
  FactoryEntry,
  FactoryListEntry,
  GroupBy,
  Interval,
  KpiItem,
  KpiPage,
  MachineEntry,
  SponsorEntry,
  ZoneEntry,
} from "./openapi.ts";

export interface Window {
  /** Dates in Seoul; `to` is exclusive. */
  from: string;
  to: string;
}

export const readSession = (signal?: AbortSignal) => getJson("/v1/sessions/current", {}, signal);
export const readDefinitions = (signal?: AbortSignal) => getJson("/v1/kpi-definitions", {}, signal);
export const readProgramme = (signal?: AbortSignal) => getJson("/v1/programme", {}, signal);

export const readMachine = (factory_id: string, machine_id: string, signal?: AbortSignal) =>
  getJson("/v1/factories/{factory_id}/machines/{machine_id}", { path: { factory_id, machine_id } }, signal);

/** A factory. Only lists have its enterprise's name, its size and the number of its machines. */
export type Factory = FactoryEntry & Partial<FactoryListEntry>;

/** Returns a factory as lists show it, or its own entry if no list has it. */
export async function readFactory(factory_id: string, signal?: AbortSignal): Promise<Factory> {
  const { items } = await getJson("/v1/factories", { query: { q: factory_id, limit: 100 } }, signal);
  const listed = items.find((factory) => factory.factory_id === factory_id);
  return listed ?? getJson("/v1/factories/{factory_id}", { path: { factory_id } }, signal);
}

interface KpiOptions {
  groupBy?: GroupBy;
  interval?: Interval;
  orderBy?: string;
}

/** Returns KPIs in total, by day or by month.
 *
 * `scopes` are intersected; `groupBy` splits them; `orderBy` is as `orderBy` below returns it.
 */
export function readKpis(
  scopes: string[],
  window: Window,
  kpis: string[],
  options: KpiOptions = {},
  signal?: AbortSignal,
): Promise<KpiPage> {
  return getJson("/v1/kpis", kpiParameters(scopes, window, kpis, options), signal);
}

/** Returns the parameter that asks for items in the order of a KPI; those without a value always come last. */
export function orderBy(kpi: string, order: "asc" | "desc"): string {
  return order === "desc" ? `-${kpi}` : kpi;
}

function kpiParameters(
  scopes: string[],
  window: Window,
  kpis: string[],
  { groupBy, interval = "total", orderBy }: KpiOptions,
): Parameters<"/v1/kpis"> {
  return {
    query: {
      scope: scopes,
      ...(groupBy === undefined ? {} : { group_by: groupBy }),
      interval,
      from: window.from,
      to: window.to,
      kpi: kpis,
      ...(orderBy === undefined ? {} : { order_by: orderBy }),
      limit: PAGE_LIMIT,
    },
  };
}

/** Returns a machine's states and counts of one day in Seoul. */
export function readTimeline(factory_id: string, machine_id: string, { from, to }: Window, signal?: AbortSignal) {
  const path = { factory_id, machine_id };
  return getJson("/v1/factories/{factory_id}/machines/{machine_id}/timeline", { path, query: { from, to } }, signal);
}

/** Returns a factory's data quality by day of receipt. */
export function readQuality(factory_id: string, { from, to }: Window, signal?: AbortSignal) {
  return getJson("/v1/factories/{factory_id}/data-quality", { path: { factory_id }, query: { from, to } }, signal);
}

/** Returns every item of a list. */
async function getAll<P extends ListPath>(
  path: P,
  parameters: Parameters<P>,
  signal?: AbortSignal,
): Promise<Item<P>[]> {
  const all: Item<P>[] = [];
  await getPages(path, parameters, (items) => all.push(...items), signal);
  return all;
}

export const readZones = (signal?: AbortSignal): Promise<ZoneEntry[]> => getAll("/v1/zones", {}, signal);
export const readSponsors = (signal?: AbortSignal): Promise<SponsorEntry[]> => getAll("/v1/sponsors", {}, signal);

export const readMachines = (factory_id: string, signal?: AbortSignal): Promise<MachineEntry[]> =>
  getAll("/v1/factories/{factory_id}/machines", { path: { factory_id } }, signal);

export type FactoryQuery = NonNullable<Parameters<"/v1/factories">["query"]>;

/** Reads every factory that passes the filters, page by page. */
export function readFactories(
  filters: FactoryQuery,
  onPage: (factories: FactoryListEntry[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  return getPages("/v1/factories", { query: filters }, onPage, signal);
}

/** Reads one KPI of every factory in a scope, page by page. */
export function readFactoryKpis(
  scopes: string[],
  window: Window,
  kpi: string,
  onPage: (items: KpiItem[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  return getPages("/v1/kpis", factoryKpis(scopes, window, kpi), onPage, signal);
}

/** Returns a page of one KPI of the factories in a scope, in an order.
 *
 * @param cursor of the page; null for the first.
 */
export function readRankedKpis(
  scopes: string[],
  window: Window,
  kpi: string,
  orderBy: string,
  page: { limit: number; cursor: string | null },
  signal?: AbortSignal,
): Promise<KpiPage> {
  const { query } = kpiParameters(scopes, window, [kpi], { groupBy: "factory", orderBy });
  return getPage("/v1/kpis", { query: { ...query, ...page } }, signal);
}

/** Returns the parameters that ask for one KPI of every factory in a scope. */
export function factoryKpis(scopes: string[], window: Window, kpi: string): Parameters<"/v1/kpis"> {
  return kpiParameters(scopes, window, [kpi], { groupBy: "factory" });
}
