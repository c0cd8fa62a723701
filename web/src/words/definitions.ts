/** KPI definitions, and the sums that they are made of, in the reader's language. */

import type { KpiDefinition, PublishedFigure } from "../api/openapi.ts";
import type { Language } from "./language.ts";

/** Returns the formula of a KPI. */
export function definitionText(definition: KpiDefinition, lang: Language): string {
  return lang === "ko" ? definition.definition_ko : definition.definition;
}

/** Returns the note on a KPI, or null. */
export function noteText(definition: KpiDefinition, lang: Language): string | null {
  return lang === "ko" ? definition.note_ko : definition.note;
}

/** Returns a sum in words: `producing + set-up`, or `(producing + set-up) × good pieces`.
 *
 * @param ids the figures to add up.
 * @param times the figures whose sum is the other factor, if there is one.
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
