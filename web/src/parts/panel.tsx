/** A panel: a title, and content that is loading, failed, empty or there. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { useApp } from "../state/context.ts";
import type { Loaded } from "../state/load.ts";
import { Content, Failure } from "./failure.tsx";

interface PanelProps<T> {
  title: string;
  loaded: Loaded<T>;
  /** Whether a response has nothing to show. */
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
          <Content data={data} retry={loaded.retry}>
            {children}
          </Content>
        )}
      </div>
    </section>
  );
}

/** Grey bars as a placeholder while loading. */
export function Skeleton({ label }: { label: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">{label}</span>
      <i />
      <i />
      <i />
    </div>
  );
}
