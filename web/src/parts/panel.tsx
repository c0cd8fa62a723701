/** A panel of a page: its title, and its content in whatever state of loading it is. Its height is kept throughout. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Problem } from "../api/client.ts";
import { useApp } from "../state/context.ts";
import type { Loaded } from "../state/load.ts";

interface PanelProps<T> {
  title: string;
  loaded: Loaded<T>;
  /** Whether an answer has nothing to show. */
  isEmpty?: (data: T) => boolean;
  emptyText?: string;
  class?: string;
  aside?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}

export function Panel<T>({ title, loaded, isEmpty, emptyText, aside, children, ...rest }: PanelProps<T>) {
  const { words } = useApp();
  const id = useId();
  const { data, loading, problem } = loaded;
  const state = problem !== null ? "error" : data === null ? "loading" : loading ? "stale" : "ready";
  return (
    <section class={`panel ${rest.class ?? ""}`} aria-labelledby={id} aria-busy={loading} data-state={state}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      <div class="panel-body">
        {problem !== null ? (
          <Failure problem={problem} retry={loaded.retry} />
        ) : data === null ? (
          <Skeleton label={words.panel.loading} />
        ) : isEmpty?.(data) ? (
          <p class="empty">{emptyText ?? words.panel.empty}</p>
        ) : (
          children(data)
        )}
      </div>
    </section>
  );
}

/** Grey bars in the place of what is coming. */
export function Skeleton({ label }: { label: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="for-ears">{label}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** What went wrong, in the API's own sentence where there is one, and another try. */
export function Failure({ problem, retry }: { problem: Problem; retry: () => void }) {
  const { words } = useApp();
  const lead =
    problem.status === 0
      ? words.panel.noAnswer
      : problem.status === 403
        ? words.panel.forbidden
        : words.panel.refused(String(problem.status));
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{lead}</strong>
      </p>
      {problem.status !== 403 && problem.detail !== "" && <p class="quiet">{problem.detail}</p>}
      {problem.status !== 403 && (
        <button type="button" class="button" onClick={retry}>
          {words.panel.retry}
        </button>
      )}
    </div>
  );
}
