/** What a session's role is shown first, and which pages it is offered. Pure. */

import type { Session } from "../api/types.ts";
import { type Page, type View, viewOf } from "./view.ts";

/** The widest scope that a role sees. */
export function widestScope({ role }: Session): string {
  return /^(region|factory):/.test(role) ? role : "nation";
}

/** The region to which a role is bound, if it is. */
export function regionOf({ role }: Session): string | null {
  return role.startsWith("region:") ? role.slice("region:".length) : null;
}

/** Whether a role sees a scope that pages lead back to: the nation, or a region. */
export function seesScope(session: Session, scope: string): boolean {
  const widest = widestScope(session);
  return widest === "nation" || widest === scope;
}

/** Whether a role reads figures here: researchers read theirs in SQL. */
export function seesFigures({ role }: Session): boolean {
  return role !== "researcher";
}

/** Whether a role sees everything: all cohorts, and the programme. */
export function seesEverything(session: Session): boolean {
  return seesFigures(session) && widestScope(session) === "nation";
}

/** Whether a page has anything for a role. */
export function isOffered(session: Session, page: Page): boolean {
  if (page === "definitions" || seesEverything(session)) {
    return true;
  }
  const pages: Page[] =
    regionOf(session) === null ? ["factory", "machine"] : ["region", "factories", "factory", "machine"];
  return seesFigures(session) && pages.includes(page);
}

/** The page on which a role begins. */
export function homeOf(session: Session, view: View): View {
  const scope = widestScope(session);
  if (!seesFigures(session)) {
    return viewOf(view, "definitions");
  }
  if (scope.startsWith("region:")) {
    return viewOf(view, "region", scope);
  }
  return scope.startsWith("factory:") ? viewOf(view, "factory", scope) : viewOf(view, "nation");
}
