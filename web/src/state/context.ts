/** What every part of a page may ask for: the view and how to change it, the words, the definitions, the open figure. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Definition, Session } from "../api/types.ts";
import type { FigureData } from "../figures/data.ts";
import type { Words } from "../words/index.ts";
import { kpiTitle } from "../words/kpis.ts";
import type { View } from "./view.ts";

export interface App {
  view: View;
  words: Words;
  session: Session;
  definitions: readonly Definition[];
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

/** A KPI's name in the reader's language. */
export function useTitle(): (kpi: string) => string {
  const { definitions, view } = useApp();
  return (kpi) =>
    kpiTitle(
      definitions.find((definition) => definition.id === kpi),
      kpi,
      view.lang,
    );
}
