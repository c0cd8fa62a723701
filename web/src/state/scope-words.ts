/** Puts scopes into words: `region:KR-48` is Gyeongnam. */

import type { Level } from "../api/openapi.ts";
import type { Words } from "../words/index.ts";
import type { Language } from "../words/language.ts";
import { regionName, sectorName } from "../words/places.ts";
import type { NamedKind } from "./names.ts";

/** Returns a scope, or an intersection of scopes, in words; factories and machines by their ids. */
export function scopeWords(
  label: string,
  words: Words,
  lang: Language,
  named: (kind: NamedKind, id: string) => string,
): string {
  return label
    .split("&")
    .map((scope) => {
      const at = scope.indexOf(":");
      const id = scope.slice(at + 1);
      switch (scope.slice(0, Math.max(at, 0))) {
        case "region":
          return regionName(id, lang);
        case "sector":
          return `${id} ${sectorName(id, lang)}`;
        case "zone":
          return named("zone", id);
        case "sponsor":
          return named("sponsor", id);
        case "level":
          return words.levels[id as Level] ?? id;
        case "size":
          return `${words.list.size} ${id}`;
        default:
          return scope === "nation" ? words.nationName : id;
      }
    })
    .join(" · ");
}
