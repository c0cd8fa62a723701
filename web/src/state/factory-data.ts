/** Loads the list of factories and one KPI of each, page by page; each page can be used before the next is there. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { PAGE_LIMIT, type Problem } from "../api/client.ts";
import type { FactoryListEntry, KpiItem } from "../api/openapi.ts";
import { type FactoryQuery, readFactories, readFactoryKpis, readRankedKpis, type Window } from "../api/requests.ts";
import { problemOf } from "./load.ts";
import { idOf } from "./view.ts";

export interface Paged<T> {
  data: T;
  done: boolean;
  problem: Problem | null;
  retry: () => void;
}

type Request<P> = (onPage: (page: P) => void, signal: AbortSignal) => Promise<void>;

/** Collects all pages; starts over when `key` changes.
 *
 * @param key identifies the request; null: do not send one.
 * @param add returns the data with one more page; must not modify its arguments.
 */
function usePages<T, P>(key: string | null, empty: T, add: (data: T, page: P) => T, request: Request<P>): Paged<T> {
  const [state, setState] = useState<{ data: T; done: boolean; problem: Problem | null }>({
    data: empty,
    done: false,
    problem: null,
  });
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => setTries((count) => count + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key identifies the request.
  useEffect(() => {
    setState({ data: empty, done: key === null, problem: null });
    if (key === null) {
      return;
    }
    const controller = new AbortController();
    request((page) => setState((last) => ({ ...last, data: add(last.data, page) })), controller.signal).then(
      () => !controller.signal.aborted && setState((last) => ({ ...last, done: true })),
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const problem = problemOf(error);
          setState((last) => ({ ...last, problem }));
        }
      },
    );
    return () => controller.abort();
  }, [key, tries]);
  return { ...state, retry };
}

const NO_FACTORIES: FactoryListEntry[] = [];
const NO_ITEMS: ReadonlyMap<string, KpiItem> = new Map();

/** Loads every factory in a scope: the nation, a region, a zone or a sponsor. */
export function useFactories(scope: string): Paged<FactoryListEntry[]> {
  const filters: FactoryQuery = scope === "nation" ? {} : { [scope.slice(0, scope.indexOf(":"))]: idOf(scope) };
  return usePages<FactoryListEntry[], FactoryListEntry[]>(
    scope,
    NO_FACTORIES,
    (data, page) => [...data, ...page],
    (onPage, signal) => readFactories(filters, onPage, signal),
  );
}

/** Loads one KPI of every factory in a scope, by factory id.
 *
 * @param scope null: load nothing.
 */
export function useFactoryKpis(
  scope: string | null,
  window: Window,
  kpi: string,
): Paged<ReadonlyMap<string, KpiItem>> {
  return usePages<ReadonlyMap<string, KpiItem>, KpiItem[]>(
    scope && `${scope} ${kpi} ${window.from} ${window.to}`,
    NO_ITEMS,
    (data, page) => new Map([...data, ...page.map((item): [string, KpiItem] => [idOf(item.scope), item])]),
    (onPage, signal) => readFactoryKpis(scope === null ? [] : [scope], window, kpi, onPage, signal),
  );
}

const RANKED_AT_ONCE = 200;

interface Ranking {
  key: string | null;
  items: readonly KpiItem[];
  /** The cursor of the page after these items; null before the first and after the last page. */
  next: string | null;
  /** Whether that page is wanted. */
  wanted: boolean;
  problem: Problem | null;
}

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
  const [state, setState] = useState<Ranking>({ key: null, items: [], next: null, wanted: false, problem: null });
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
    const page = { limit: isFiltered ? PAGE_LIMIT : RANKED_AT_ONCE, cursor: stale ? null : state.next };
    readRankedKpis([scope], window, kpi, orderBy, page, controller.signal).then(
      ({ items, next_cursor: next }) => {
        if (!controller.signal.aborted) {
          setState({ key, items: [...before, ...items], next, wanted: false, problem: null });
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
  const more = () => setState((last) => (last.key === key && last.next !== null ? { ...last, wanted: true } : last));
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
