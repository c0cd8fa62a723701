/** What a session's role is shown first, and which pages it is offered. Pure. */

import type { CurrentSession } from "../api/openapi.ts";
import { type Page, type View, viewOf } from "./view.ts";

/** The widest scope that a role sees. */
export function widestScope({ role }: CurrentSession): string {
  return /^(region|factory):/.test(role) ? role : "nation";
}

/** The region to which a role is bound, if it is. */
export function regionOf({ role }: CurrentSession): string | null {
  return role.startsWith("region:") ? role.slice("region:".length) : null;
}

/** Whether a role sees a scope that pages lead back to: the nation, or a region. */
export function seesScope(session: CurrentSession, scope: string): boolean {
  const widest = widestScope(session);
  return widest === "nation" || widest === scope;
}

/** Whether a role reads figures here: researchers read theirs in SQL. */
export function seesFigures({ role }: CurrentSession): boolean {
  return role !== "researcher";
}

/** Whether a role sees everything: all cohorts, and the programme. */
export function seesEverything(session: CurrentSession): boolean {
  return seesFigures(session) && widestScope(session) === "nation";
}

/** Whether a page has anything for a role. */
export function isOffered(session: CurrentSession, page: Page): boolean {
  if (page === "definitions" || seesEverything(session)) {
    return true;
  }
  const pages: Page[] =
    regionOf(session) === null ? ["factory", "machine"] : ["region", "factories", "factory", "machine"];
  return seesFigures(session) && pages.includes(page);
}

/** The page on which a role begins. */
export function homeOf(session: CurrentSession, view: View): View {
  const scope = widestScope(session);
  if (!seesFigures(session)) {
    return viewOf(view, "definitions");
  }
  if (scope.startsWith("region:")) {
    return viewOf(view, "region", scope);
  }
  return scope.startsWith("factory:") ? viewOf(view, "factory", scope) : viewOf(view, "nation");
}
