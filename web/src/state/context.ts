/** The app's context: the view and how to change it, texts, definitions, and the sheet of a KPI. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { CurrentSession, KpiDefinition, Meanings, PublishedFigure } from "../api/openapi.ts";
import type { Words } from "../words/index.ts";
import type { Kpi } from "./kpi.ts";
import type { View } from "./view.ts";

export interface App {
  view: View;
  words: Words;
  session: CurrentSession;
  definitions: readonly KpiDefinition[];
  /** The sums that KPIs are made of. */
  figures: readonly PublishedFigure[];
  /** What flags of KPIs, and reasons for the lack of a value, mean. */
  meanings: Meanings;
  /** The instant up to which everything is accounted, in milliseconds. */
  accountedUntilMs: number;
  /** The view's window, or the default. */
  window: { from: string; to: string };
  /** Changes the view, with a new entry in the browser's history. */
  go: (view: View) => void;
  /** Changes the view in place. */
  adjust: (view: View) => void;
  openKpi: (kpi: Kpi) => void;
}

export const AppContext = createContext<App | null>(null);

/** Returns the app's context. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) {
    throw new Error("a part of a page stands outside the app");
  }
  return app;
}

/** Returns a function that finds a KPI's definition by id. */
export function useDefinition(): (kpi: string) => KpiDefinition | undefined {
  const { definitions } = useApp();
  return (kpi) => definitions.find(({ id }) => id === kpi);
}

/** Returns a function that finds a KPI's name in the reader's language; its id if it is not defined. */
export function useTitle(): (kpi: string) => string {
  const { view } = useApp();
  const definition = useDefinition();
  return (kpi) => definition(kpi)?.title[view.lang] ?? kpi;
}
