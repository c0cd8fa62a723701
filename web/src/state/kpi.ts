/** A KPI of one scope and window, with everything it was calculated from. Pure. */

import type { KpiDefinition, KpiItem, KpiValue } from "../api/openapi.ts";

export interface Kpi {
  definition: KpiDefinition;
  /** The scope in words. */
  of: string;
  scope: string;
  from: string;
  to: string;
  partial: boolean;
  factories: number;
  machines: number;
  coverage: number | null;
  answer: KpiValue;
}

/** Returns one KPI of an item, or null if the item does not have it.
 *
 * @param of the scope in words.
 * @param within the scope that was asked for, if the item is one of its groups.
 */
export function kpiOf(
  item: KpiItem | undefined,
  definition: KpiDefinition | undefined,
  of: string,
  within = "nation",
): Kpi | null {
  const answer = definition && item?.kpis[definition.id];
  if (item === undefined || definition === undefined || answer === undefined) {
    return null;
  }
  const { from, to, partial, factories, machines, coverage } = item;
  const scope = within === "nation" ? item.scope : `${within}&${item.scope}`;
  return { definition, of, scope, from, to, partial, factories, machines, coverage, answer };
}

/** Whether too little of the data behind the value was received. */
export function hasLowCoverage(answer: KpiValue): boolean {
  return answer.flags.includes("low_coverage");
}

/** Returns the marks beside a value: its flags, and whether its window is not yet complete. */
export function marksOf(kpi: Kpi): string[] {
  return [...kpi.answer.flags, ...(kpi.partial ? ["partial"] : [])];
}

export const MARKS: Record<string, string> = {
  low_coverage: "◔",
  above_range: "▲",
  suspect_ideal_cycle: "△",
  declared_far_above: "▽",
  partial: "…",
};
