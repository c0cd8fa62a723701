/** The list of factories and one KPI of each, loaded page by page; what is there can be used while the rest comes. */

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

type Ask<P> = (onPage: (page: P) => void, signal: AbortSignal) => Promise<void>;

/** Gather pages; begun anew whenever `key` changes.
 *
 * @param add the data with one more page; it must not change what it is given.
 */
function usePages<T, P>(key: string, empty: T, add: (data: T, page: P) => T, ask: Ask<P>): Paged<T> {
  const [state, setState] = useState<{ data: T; done: boolean; problem: Problem | null }>({
    data: empty,
    done: false,
    problem: null,
  });
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => setTries((count) => count + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the question.
  useEffect(() => {
    const stop = new AbortController();
    setState({ data: empty, done: false, problem: null });
    ask((page) => setState((before) => ({ ...before, data: add(before.data, page) })), stop.signal).then(
      () => !stop.signal.aborted && setState((before) => ({ ...before, done: true })),
      (error: unknown) => {
        if (!stop.signal.aborted) {
          const problem = problemOf(error);
          setState((before) => ({ ...before, problem }));
        }
      },
    );
    return () => stop.abort();
  }, [key, tries]);
  return { ...state, retry };
}

const NO_FACTORIES: FactoryListEntry[] = [];
const NO_ITEMS: ReadonlyMap<string, KpiItem> = new Map();

/** Every factory in a scope: the nation, a region, a zone or a sponsor. */
export function useFactories(scope: string): Paged<FactoryListEntry[]> {
  const filters: FactoryQuery = scope === "nation" ? {} : { [scope.slice(0, scope.indexOf(":"))]: idOf(scope) };
  return usePages<FactoryListEntry[], FactoryListEntry[]>(
    scope,
    NO_FACTORIES,
    (data, page) => [...data, ...page],
    (onPage, signal) => readFactories(filters, onPage, signal),
  );
}

/** One KPI of every factory in a scope, by factory id. */
export function useFactoryKpis(scope: string, window: Window, kpi: string): Paged<ReadonlyMap<string, KpiItem>> {
  return usePages<ReadonlyMap<string, KpiItem>, KpiItem[]>(
    `${scope} ${kpi} ${window.from} ${window.to}`,
    NO_ITEMS,
    (data, page) => new Map([...data, ...page.map((item): [string, KpiItem] => [idOf(item.scope), item])]),
    (onPage, signal) => readFactoryKpis([scope], window, kpi, onPage, signal),
  );
}
