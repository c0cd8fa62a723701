/** A failed request or a malformed response, shown with its reason and a button that tries again. */

import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import type { Problem } from "../api/client.ts";
import { useApp } from "../state/context.ts";
import { problemOf } from "../state/load.ts";
import type { Words } from "../words/index.ts";

interface FailureProps {
  problem: Problem;
  retry: () => void;
}

export function Failure(props: FailureProps) {
  return <FailureIn words={useApp().words} {...props} />;
}

/** A failure outside of the app, which has to be given its words. */
export function FailureIn({ problem, retry, words }: FailureProps & { words: Words }) {
  const forbidden = problem.status === 403;
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{leadOf(problem, words)}</strong>
      </p>
      {!forbidden && problem.detail !== "" && <p class="quiet">{problem.detail}</p>}
      {!forbidden && (
        <button type="button" class="button" onClick={retry}>
          {words.panel.retry}
        </button>
      )}
    </div>
  );
}

function leadOf({ kind, status }: Problem, words: Words): string {
  switch (kind) {
    case "unreachable":
      return words.panel.noAnswer;
    case "malformed":
      return words.panel.malformed;
    case "refused":
      return status === 403 ? words.panel.forbidden : words.panel.refused(String(status));
  }
}

interface ContentProps<T> {
  data: T;
  retry: () => void;
  children: (data: T) => ComponentChildren;
}

/** Renders a response. If that throws, because the response is malformed, shows a failure. */
export function Content<T>({ data, retry, children }: ContentProps<T>) {
  const failedOn = useRef<T | null>(null);
  const [error, reset] = useErrorBoundary(() => {
    failedOn.current = data;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new response gets a new try.
  useEffect(() => {
    if (error !== undefined && failedOn.current !== data) {
      reset();
    }
  }, [data]);
  return error === undefined ? (
    <Drawn data={data} draw={children} />
  ) : (
    <Failure problem={problemOf(error)} retry={retry} />
  );
}

/** A component of its own, because an error boundary catches only what its children throw. */
function Drawn<T>({ data, draw }: { data: T; draw: (data: T) => ComponentChildren }) {
  return <>{draw(data)}</>;
}
