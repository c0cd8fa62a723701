/** KPI definitions, the sums that they are made of, and what flags and reasons mean, in the reader's language. */

import type { KpiDefinition, Meanings, PublishedFigure } from "../api/openapi.ts";
import type { Language } from "./language.ts";

/** Returns the formula of a KPI. */
export function definitionText(definition: KpiDefinition, lang: Language): string {
  return lang === "ko" ? definition.definition_ko : definition.definition;
}

/** Returns the note on a KPI, or null. */
export function noteText(definition: KpiDefinition, lang: Language): string | null {
  return lang === "ko" ? definition.note_ko : definition.note;
}

/** Returns in a few words why a KPI has no value; the code itself if the definitions do not know it. */
export function reasonTitle(meanings: Meanings, reason: string, lang: Language): string {
  return meanings.reasons[reason]?.title[lang] ?? reason;
}

/** Returns in a sentence why a KPI has no value, or null if the definitions do not know the reason. */
export function reasonMeaning(meanings: Meanings, reason: string, lang: Language): string | null {
  return meanings.reasons[reason]?.meaning[lang] ?? null;
}

/** Returns a flag in a few words; the code itself if the definitions do not know it. */
export function flagTitle(meanings: Meanings, flag: string, lang: Language): string {
  return meanings.flags[flag]?.title[lang] ?? flag;
}

/** Returns what a flag means in a sentence; the code itself if the definitions do not know it. */
export function flagMeaning(meanings: Meanings, flag: string, lang: Language): string {
  return meanings.flags[flag]?.meaning[lang] ?? flag;
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
