/** The list of factories narrowed and sorted, 30,000 in a few hundredths of a second. Pure. */

import type { Factory, KpiItem } from "../api/types.ts";
import { regionName, sectorName } from "../words/places.ts";
import type { Language, Order, View } from "./view.ts";

export const SORTS = ["name", "region", "sector", "level", "machines", "kpi", "coverage"] as const;
export type Sort = (typeof SORTS)[number];

/** A factory made ready for searching and sorting, once. */
export interface Listed {
  factory: Factory;
  /** What a search goes through: names and ids, in lower case. */
  text: string;
  /** Sorts by name, numbers in it as numbers, then by id, by plain comparison: Hangul's code points are in order. */
  nameKey: string;
}

/** A factory with its figure, once that is there. */
export interface Row extends Listed {
  item: KpiItem | undefined;
}

type Narrowing = Pick<View, "q" | "region" | "sector" | "level">;

const LEVELS = ["none", "basic", "intermediate_1", "intermediate_2", "advanced"];

export function prepare(factory: Factory): Listed {
  const { factory_id, name, enterprise_name, enterprise_id } = factory;
  return {
    factory,
    text: `${factory_id}\n${name}\n${enterprise_name ?? ""}\n${enterprise_id}`.toLowerCase(),
    nameKey: `${name}\n${factory_id}`.toLowerCase().replaceAll(/\d+/g, (digits) => digits.padStart(9, "0")),
  };
}

/** The factories that pass. */
export function narrow(listed: readonly Listed[], by: Narrowing): Listed[] {
  const q = by.q.trim().toLowerCase();
  return listed.filter(
    ({ factory, text }) =>
      (by.region === "" || factory.region === by.region) &&
      (by.sector === "" || factory.sector === by.sector) &&
      (by.level === "" || factory.level === by.level) &&
      (q === "" || text.includes(q)),
  );
}

/** Rows in an order; what has no figure comes last both ways, and equal ones by name and id. */
export function arrange(rows: readonly Row[], sort: string, order: Order, kpi: string, lang: Language): Row[] {
  const sign = order === "asc" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, key: keyOf(row, sort, kpi, lang) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return a.key === b.key ? byName(a.row, b.row) : a.key === null ? 1 : -1;
    }
    return a.key === b.key ? byName(a.row, b.row) : a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ row }) => row);
}

function byName(a: Row, b: Row): number {
  return a.nameKey < b.nameKey ? -1 : 1;
}

function keyOf({ factory, item, nameKey }: Row, sort: string, kpi: string, lang: Language): string | number | null {
  switch (sort) {
    case "region":
      return regionName(factory.region, lang);
    case "sector":
      return `${factory.sector} ${sectorName(factory.sector, lang)}`;
    case "level":
      return LEVELS.indexOf(factory.level);
    case "machines":
      return factory.machines ?? null;
    case "kpi":
      return item?.kpis[kpi]?.value ?? null;
    case "coverage":
      return item?.coverage ?? null;
    default:
      return nameKey;
  }
}
