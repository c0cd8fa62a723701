/** A figure with everything that it was made from. Pure. */

import type { KpiDefinition, KpiItem, KpiValue } from "../api/openapi.ts";

export interface FigureData {
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

/** One KPI of an item; null where the item does not have it.
 *
 * @param of the scope in words.
 * @param within the scope of the question, where the item is one group of it.
 */
export function figureOf(
  item: KpiItem | undefined,
  definition: KpiDefinition | undefined,
  of: string,
  within = "nation",
): FigureData | null {
  const answer = definition && item?.kpis[definition.id];
  if (item === undefined || definition === undefined || answer === undefined) {
    return null;
  }
  const { from, to, partial, factories, machines, coverage } = item;
  const scope = within === "nation" ? item.scope : `${within}&${item.scope}`;
  return { definition, of, scope, from, to, partial, factories, machines, coverage, answer };
}

/** Whether too little of what the figure rests on was heard. */
export function isThin(answer: KpiValue): boolean {
  return answer.flags.includes("low_coverage");
}

/** The marks that stand beside a value: its flags and whether it is still growing. */
export function marksOf(figure: FigureData): string[] {
  return [...figure.answer.flags, ...(figure.partial ? ["partial"] : [])];
}

export const MARKS: Record<string, string> = {
  low_coverage: "◔",
  above_range: "▲",
  suspect_ideal_cycle: "△",
  declared_far_above: "▽",
  partial: "…",
};
