/** Loads the data of a panel: one request, its progress, its failure, and retries. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { Problem } from "../api/client.ts";
import { signedOut } from "./signed-out.ts";

export interface Loaded<T> {
  /** The latest response; while another request loads, still the former one. */
  data: T | null;
  /** Whether `data` is missing or belongs to a former request. */
  loading: boolean;
  problem: Problem | null;
  retry: () => void;
}

interface State<T> {
  key: string;
  data: T | null;
  problem: Problem | null;
}

/** Sends a request, and another one whenever `key` changes.
 *
 * @param key identifies the request; null: do not send one yet.
 */
export function useLoad<T>(key: string | null, request: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key: "", data: null, problem: null });
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => {
    setState((last) => ({ ...last, key: "", problem: null }));
    setTries((count) => count + 1);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key identifies the request.
  useEffect(() => {
    if (key === null) {
      return;
    }
    const controller = new AbortController();
    request(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) {
          setState({ key, data, problem: null });
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const problem = problemOf(error);
          setState((last) => ({ key, data: last.data, problem }));
        }
      },
    );
    return () => controller.abort();
  }, [key, tries]);
  return { data: state.data, loading: key !== null && state.key !== key, problem: state.problem, retry };
}

/** Turns any error into a problem, which a panel can show, and announces the end of the session.
 *
 * An error that the client did not raise is taken for a malformed response.
 */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof Problem)) {
    return new Problem("malformed", 200, error instanceof Error ? error.message : String(error));
  }
  if (error.status === 401) {
    signedOut.announce();
  }
  return error;
}
