/** Loads what every page needs: the session, the KPI definitions, and up to when everything is accounted. */

import { signIn } from "../api/client.ts";
import type { CurrentSession, KpiDefinition, Meanings, PublishedFigure } from "../api/openapi.ts";
import { readDefinitions, readKpis, readSession } from "../api/requests.ts";
import { takeLoginToken } from "./address.ts";
import { seesKpis, widestScope } from "./roles.ts";

const HOUR_MS = 3_600_000;

export interface Start {
  session: CurrentSession;
  definitions: readonly KpiDefinition[];
  figures: readonly PublishedFigure[];
  /** What flags of KPIs, and reasons for the lack of a value, mean. */
  meanings: Meanings;
  /** Null if nothing has been accounted yet, or the role may not see it. */
  accountedUntilMs: number | null;
}

let token = takeLoginToken();

/** Loads all of it, after exchanging the token of a login link, if there is one, for a session.
 *
 * @throws Problem if nobody is signed in, or the API is unreachable.
 */
export async function readStart(signal: AbortSignal): Promise<Start> {
  if (token !== null) {
    const once = token;
    token = null;
    await signIn(once);
  }
  const [session, { kpis, figures, meanings }] = await Promise.all([readSession(signal), readDefinitions(signal)]);
  if (!seesKpis(session)) {
    return { session, definitions: kpis, figures, meanings, accountedUntilMs: null };
  }
  const toMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const hour = { from: new Date(toMs - HOUR_MS).toISOString(), to: new Date(toMs).toISOString() };
  const { accounted_until } = await readKpis([widestScope(session)], hour, ["coverage"], {}, signal);
  return {
    session,
    definitions: kpis,
    figures,
    meanings,
    accountedUntilMs: accounted_until === null ? null : Date.parse(accounted_until),
  };
}
