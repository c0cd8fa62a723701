/** What each role may see, and its first page. Pure. */

import type { CurrentSession } from "../api/openapi.ts";
import { type Page, type View, viewOf } from "./view.ts";

/** Returns the widest scope that a role may see. */
export function widestScope({ role }: CurrentSession): string {
  return /^(region|factory):/.test(role) ? role : "nation";
}

/** Returns the region that a role is limited to, or null. */
export function regionOf({ role }: CurrentSession): string | null {
  return role.startsWith("region:") ? role.slice("region:".length) : null;
}

/** Whether a role may see a scope that pages link back to: the nation, or a region. */
export function seesScope(session: CurrentSession, scope: string): boolean {
  const widest = widestScope(session);
  return widest === "nation" || widest === scope;
}

/** Whether a role may see KPIs; researchers use SQL instead. */
export function seesKpis({ role }: CurrentSession): boolean {
  return role !== "researcher";
}

/** Whether a role may see everything: all cohorts, and the programme. */
export function seesEverything(session: CurrentSession): boolean {
  return seesKpis(session) && widestScope(session) === "nation";
}

/** Whether a role may open a page. */
export function isOffered(session: CurrentSession, page: Page): boolean {
  if (page === "definitions" || seesEverything(session)) {
    return true;
  }
  const pages: Page[] =
    regionOf(session) === null ? ["factory", "machine"] : ["region", "factories", "factory", "machine"];
  return seesKpis(session) && pages.includes(page);
}

/** Returns the first page of a role. */
export function homeOf(session: CurrentSession, view: View): View {
  const scope = widestScope(session);
  if (!seesKpis(session)) {
    return viewOf(view, "definitions");
  }
  if (scope.startsWith("region:")) {
    return viewOf(view, "region", scope);
  }
  return scope.startsWith("factory:") ? viewOf(view, "factory", scope) : viewOf(view, "nation");
}
