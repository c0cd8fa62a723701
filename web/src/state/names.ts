/** What zones and sponsors are called; each list is asked for once. */

import { readSponsors, readZones } from "../api/requests.ts";
import { useApp } from "./context.ts";
import { useLoad } from "./load.ts";
import { seesEverything } from "./roles.ts";

export type NamedKind = "zone" | "sponsor";

const asked = new Map<NamedKind, Promise<ReadonlyMap<string, string>>>();

async function ask(kind: NamedKind): Promise<ReadonlyMap<string, string>> {
  return kind === "zone"
    ? new Map((await readZones()).map(({ zone_id, name }) => [zone_id, name]))
    : new Map((await readSponsors()).map(({ sponsor_id, name }) => [sponsor_id, name]));
}

/** Kept while it is there; a failure is not. */
function namesOf(kind: NamedKind): Promise<ReadonlyMap<string, string>> {
  const names = asked.get(kind) ?? ask(kind);
  asked.set(kind, names);
  names.catch(() => asked.delete(kind));
  return names;
}

/** A name by kind and id; the id itself where there is none, or where the list is not for the role to see. */
export function useNames(): (kind: NamedKind, id: string) => string {
  const { session } = useApp();
  const may = seesEverything(session);
  const zones = useLoad(may ? "zones" : null, () => namesOf("zone"));
  const sponsors = useLoad(may ? "sponsors" : null, () => namesOf("sponsor"));
  return (kind, id) => (kind === "zone" ? zones : sponsors).data?.get(id) ?? id;
}
