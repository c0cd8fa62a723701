/** The list of factories narrowed and sorted, 30,000 in a few milliseconds. Pure. */

import type { Factory, KpiItem } from "../api/types.ts";
import { regionName, sectorName } from "../words/places.ts";
import type { Language, Order, View } from "./view.ts";

export const SORTS = ["name", "region", "sector", "level", "machines", "kpi", "coverage"] as const;
export type Sort = (typeof SORTS)[number];

/** A factory with its figure, once that is there. */
export interface Row {
  factory: Factory;
  item: KpiItem | undefined;
}

type Narrowing = Pick<View, "q" | "region" | "sector" | "level">;

const LEVELS = ["none", "basic", "intermediate_1", "intermediate_2", "advanced"];
const collator = new Intl.Collator("ko", { numeric: true });

/** What a search goes through: names and ids, in lower case. */
export function searchText({ id, name, enterprise_name, enterprise_id }: Factory): string {
  return `${id}\n${name}\n${enterprise_name ?? ""}\n${enterprise_id}`.toLowerCase();
}

/** The factories that pass.
 *
 * @param texts the search text of each factory, in the same order.
 */
export function narrow(factories: readonly Factory[], texts: readonly string[], by: Narrowing): Factory[] {
  const q = by.q.trim().toLowerCase();
  return factories.filter(
    (factory, n) =>
      (by.region === "" || factory.region === by.region) &&
      (by.sector === "" || factory.sector === by.sector) &&
      (by.level === "" || factory.level === by.level) &&
      (q === "" || (texts[n] ?? "").includes(q)),
  );
}

/** Rows in an order; what has no figure comes last both ways, and equal ones by name and id. */
export function arrange(rows: Row[], sort: string, order: Order, kpi: string, lang: Language): Row[] {
  const sign = order === "asc" ? 1 : -1;
  const keys = new Map(rows.map((row) => [row, keyOf(row, sort, kpi, lang)]));
  return rows.sort((a, b) => {
    const [x, y] = [keys.get(a) ?? null, keys.get(b) ?? null];
    if (x === null || y === null) {
      return x === y ? byName(a, b) : x === null ? 1 : -1;
    }
    const difference = typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
    return difference * sign || byName(a, b);
  });
}

function byName(a: Row, b: Row): number {
  return collator.compare(a.factory.name, b.factory.name) || collator.compare(a.factory.id, b.factory.id);
}

function keyOf({ factory, item }: Row, sort: string, kpi: string, lang: Language): string | number | null {
  switch (sort) {
    case "region":
      return regionName(factory.region, lang);
    case "sector":
      return `${factory.sector} ${sectorName(factory.sector, lang)}`;
    case "level":
      return LEVELS.indexOf(factory.level);
    case "machines":
      return factory.machines;
    case "kpi":
      return item?.kpis[kpi]?.value ?? null;
    case "coverage":
      return item?.coverage ?? null;
    default:
      return factory.name;
  }
}
