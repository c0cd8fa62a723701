/** Names of zones and sponsors; each list is requested once. */

import { readSponsors, readZones } from "../api/requests.ts";
import { useApp } from "./context.ts";
import { useLoad } from "./load.ts";
import { seesEverything } from "./roles.ts";

export type NamedKind = "zone" | "sponsor";

const cache = new Map<NamedKind, Promise<ReadonlyMap<string, string>>>();

async function readNames(kind: NamedKind): Promise<ReadonlyMap<string, string>> {
  return kind === "zone"
    ? new Map((await readZones()).map(({ zone_id, name }) => [zone_id, name]))
    : new Map((await readSponsors()).map(({ sponsor_id, name }) => [sponsor_id, name]));
}

/** Caches the names; a failure is not cached. */
function namesOf(kind: NamedKind): Promise<ReadonlyMap<string, string>> {
  const names = cache.get(kind) ?? readNames(kind);
  cache.set(kind, names);
  names.catch(() => cache.delete(kind));
  return names;
}

/** Returns a function that finds a name by kind and id; the id itself if it is unknown or the role may not see the list. */
export function useNames(): (kind: NamedKind, id: string) => string {
  const { session } = useApp();
  const allowed = seesEverything(session);
  const zones = useLoad(allowed ? "zones" : null, () => namesOf("zone"));
  const sponsors = useLoad(allowed ? "sponsors" : null, () => namesOf("sponsor"));
  return (kind, id) => (kind === "zone" ? zones : sponsors).data?.get(id) ?? id;
}
