/** Loading what a panel shows: one request, its progress, its failure, and another try. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { Problem } from "../api/client.ts";
import { signedOut } from "./signed-out.ts";

export interface Loaded<T> {
  /** The newest answer; while another question loads, still the former one. */
  data: T | null;
  /** Whether `data` answers an older question, or nothing came yet. */
  loading: boolean;
  problem: Problem | null;
  retry: () => void;
}

interface Held<T> {
  key: string;
  data: T | null;
  problem: Problem | null;
}

/** Ask, again whenever `key` changes.
 *
 * @param key names the question; null: nothing to ask yet.
 */
export function useLoad<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [held, hold] = useState<Held<T>>({ key: "", data: null, problem: null });
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => {
    hold((before) => ({ ...before, key: "", problem: null }));
    setTries((count) => count + 1);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the question.
  useEffect(() => {
    if (key === null) {
      return;
    }
    const stop = new AbortController();
    ask(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) {
          hold({ key, data, problem: null });
        }
      },
      (error: unknown) => {
        if (!stop.signal.aborted) {
          const problem = problemOf(error);
          hold((before) => ({ key, data: before.data, problem }));
        }
      },
    );
    return () => stop.abort();
  }, [key, tries]);
  return { data: held.data, loading: key !== null && held.key !== key, problem: held.problem, retry };
}

/** Any error as a problem, so that a panel can show it. The app is told when the session has ended.
 *
 * An error that the client did not raise means that an answer was not what its type promises.
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
