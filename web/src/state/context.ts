/** What every part of a page may ask for: the view and how to change it, the words, the definitions, the open figure. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { CurrentSession, KpiDefinition, PublishedFigure } from "../api/openapi.ts";
import type { FigureData } from "../figures/data.ts";
import type { Words } from "../words/index.ts";
import type { View } from "./view.ts";

export interface App {
  view: View;
  words: Words;
  session: CurrentSession;
  definitions: readonly KpiDefinition[];
  /** What KPIs add up. */
  figures: readonly PublishedFigure[];
  /** Up to when everything is accounted, in milliseconds. */
  accountedUntilMs: number;
  /** The view's window, or the default one. */
  window: { from: string; to: string };
  /** Change the view: a step in the browser's history. */
  go: (view: View) => void;
  /** Change the view in place. */
  adjust: (view: View) => void;
  openFigure: (figure: FigureData) => void;
}

export const AppContext = createContext<App | null>(null);

/** The app around this part. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) {
    throw new Error("a part of a page stands outside the app");
  }
  return app;
}

/** A KPI's definition, by id. */
export function useDefinition(): (kpi: string) => KpiDefinition | undefined {
  const { definitions } = useApp();
  return (kpi) => definitions.find(({ id }) => id === kpi);
}

/** A KPI's name in the reader's language; its id if it is not defined. */
export function useTitle(): (kpi: string) => string {
  const { view } = useApp();
  const definition = useDefinition();
  return (kpi) => definition(kpi)?.title[view.lang] ?? kpi;
}
