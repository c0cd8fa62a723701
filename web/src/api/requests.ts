/** The questions that the dashboard asks, each one request (lists: one for each page of 10,000). */

import { getJson, getPages, PAGE_LIMIT, type Parameters } from "./client.ts";
import type {
  Definitions,
  Factory,
  KpiItem,
  KpiPage,
  Machine,
  Programme,
  Session,
  Sponsor,
  Timeline,
  Zone,
} from "./types.ts";

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
    limit: PAGE_LIMIT,
  };
}

/** One machine's states and counts of one Seoul day. */
export function readTimeline(factory: string, machine: string, window: Window, signal?: AbortSignal) {
  const path = `/v1/factories/${encodeURIComponent(factory)}/machines/${encodeURIComponent(machine)}/timeline`;
  return getJson<Timeline>(path, { from: window.from, to: window.to }, signal);
}

/** Every item of a list. */
async function getAll<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = [];
  await getPages<T>(path, {}, (items) => all.push(...items), signal);
  return all;
}

export const readZones = (signal?: AbortSignal) => getAll<Zone>("/v1/zones", signal);
export const readSponsors = (signal?: AbortSignal) => getAll<Sponsor>("/v1/sponsors", signal);

export const readMachines = (factory: string, signal?: AbortSignal) =>
  getAll<Machine>(`/v1/factories/${encodeURIComponent(factory)}/machines`, signal);

/** Every factory that passes the filters, page by page. */
export function readFactories(
  filters: Parameters,
  onPage: (factories: Factory[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  return getPages("/v1/factories", filters, onPage, signal);
}

/** One KPI of every factory in a scope, page by page. */
export function readFactoryKpis(
  scopes: string[],
  window: Window,
  kpi: string,
  onPage: (items: KpiItem[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  return getPages("/v1/kpis", kpiParameters(scopes, window, [kpi], { groupBy: "factory" }), onPage, signal);
}
