/** KPI definitions, and the sums that they are made of, in the reader's language. */

import type { KpiDefinition, PublishedFigure } from "../api/openapi.ts";
import type { Language } from "../state/view.ts";

/** How a KPI is defined. */
export function definitionText(definition: KpiDefinition, lang: Language): string {
  return lang === "ko" ? definition.definition_ko : definition.definition;
}

/** What else has to be said of a KPI; null: nothing. */
export function noteText(definition: KpiDefinition, lang: Language): string | null {
  return lang === "ko" ? definition.note_ko : definition.note;
}

/** The figures of a sum in words: `producing + set-up`, or `(producing + set-up) × good pieces`.
 *
 * @param ids the figures that are added up.
 * @param times the figures whose sum that is multiplied with; none: with nothing.
 */
export function sumWords(
  figures: readonly PublishedFigure[],
  ids: readonly string[],
  times: readonly string[],
  lang: Language,
): string {
  const title = (id: string) => figures.find((figure) => figure.id === id)?.title[lang] ?? id;
  const sum = (terms: readonly string[]) => terms.map(title).join(" + ");
  if (times.length === 0) {
    return sum(ids);
  }
  return [times, ids].map((terms) => (terms.length > 1 ? `(${sum(terms)})` : sum(terms))).join(" × ");
}
