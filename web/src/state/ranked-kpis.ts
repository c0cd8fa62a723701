/** Loads one KPI of the factories in a scope in the API's order, a page at a time: best and worst without all the rest. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { PAGE_LIMIT, type Problem } from "../api/client.ts";
import type { KpiItem } from "../api/openapi.ts";
import { readRankedKpis, type Window } from "../api/requests.ts";
import { problemOf } from "./load.ts";

const AT_ONCE = 200;

interface State {
  key: string | null;
  items: readonly KpiItem[];
  /** The cursor of the page after these items; null before the first and after the last page. */
  next: string | null;
  /** Whether that page is wanted. */
  wanted: boolean;
  problem: Problem | null;
}

const NOTHING: State = { key: null, items: [], next: null, wanted: false, problem: null };

export interface Ranked {
  /** The items so far; while another order loads, still those of the former. */
  items: readonly KpiItem[];
  /** Whether no item is missing. */
  done: boolean;
  /** Whether a page that is wanted is missing. */
  loading: boolean;
  /** Whether the items are those of a former order. */
  stale: boolean;
  problem: Problem | null;
  /** Asks for the next page, if there is one. */
  more: () => void;
  retry: () => void;
}

/** Loads one KPI of the factories in a scope in the API's order, each further page when it is asked for.
 *
 * @param orderBy null: load nothing.
 * @param isFiltered whether few of the items will be shown, so that large pages are better.
 */
export function useRankedKpis(
  scope: string,
  window: Window,
  kpi: string,
  orderBy: string | null,
  isFiltered: boolean,
): Ranked {
  const key = orderBy === null ? null : `${scope} ${kpi} ${orderBy} ${window.from} ${window.to}`;
  const [state, setState] = useState<State>(NOTHING);
  const [tries, setTries] = useState(0);
  const stale = key !== null && state.key !== key;
  const wanted = stale || (key !== null && state.wanted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key identifies the request.
  useEffect(() => {
    if (orderBy === null || !wanted) {
      return;
    }
    const controller = new AbortController();
    const before = stale ? [] : state.items;
    const page = { limit: isFiltered ? PAGE_LIMIT : AT_ONCE, cursor: stale ? null : state.next };
    readRankedKpis([scope], window, kpi, orderBy, page, controller.signal).then(
      ({ items, next_cursor: next }) => {
        if (!controller.signal.aborted) {
          setState({ key, items: [...before, ...items], next: next ?? null, wanted: false, problem: null });
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const problem = problemOf(error);
          setState({ key, items: before, next: page.cursor, wanted: true, problem });
        }
      },
    );
    return () => controller.abort();
  }, [key, wanted, tries]);
  const more = () =>
    setState((last) => (last.key === key && last.next !== null && !last.wanted ? { ...last, wanted: true } : last));
  const retry = useCallback(() => {
    setState((last) => ({ ...last, problem: null }));
    setTries((count) => count + 1);
  }, []);
  const problem = state.key === key ? state.problem : null;
  return {
    items: state.items,
    done: state.key === key && !wanted && state.next === null,
    loading: wanted && problem === null,
    stale,
    problem,
    more,
    retry,
  };
}
