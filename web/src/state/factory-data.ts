/** Loads the list of factories and one KPI of each, page by page; each page can be used while the rest loads. */

import { useCallback, useEffect, useState } from "preact/hooks";
import type { Problem } from "../api/client.ts";
import type { FactoryListEntry, KpiItem } from "../api/openapi.ts";
import { type FactoryQuery, readFactories, readFactoryKpis, type Window } from "../api/requests.ts";
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
export function useFactoryKpis(scope: string | null, window: Window, kpi: string): Paged<ReadonlyMap<string, KpiItem>> {
  return usePages<ReadonlyMap<string, KpiItem>, KpiItem[]>(
    scope && `${scope} ${kpi} ${window.from} ${window.to}`,
    NO_ITEMS,
    (data, page) => new Map([...data, ...page.map((item): [string, KpiItem] => [idOf(item.scope), item])]),
    (onPage, signal) => readFactoryKpis(scope === null ? [] : [scope], window, kpi, onPage, signal),
  );
}
