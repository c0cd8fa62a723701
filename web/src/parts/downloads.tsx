/** The list of factories, and the chosen KPI of each, as CSV files. */

import { useState } from "preact/hooks";
import type { Problem } from "../api/client.ts";
import { readCsv, save } from "../api/download.ts";
import { type FactoryQuery, factoryKpis } from "../api/requests.ts";
import { useApp, useTitle } from "../state/context.ts";
import { problemOf } from "../state/load.ts";
import { dayOf } from "../state/seoul.ts";
import { FILTERS, type Filter } from "../state/view.ts";
import { Failure } from "./failure.tsx";

/** @param filters of the list, without the search. */
export function Downloads({ filters }: { filters: Readonly<Partial<Record<Filter, string>>> }) {
  const { view, words, window, accountedUntilMs } = useApp();
  const title = useTitle();
  const { q, kpi } = view;
  // The address may name a region that does not exist; the API then refuses.
  const query = { ...filters, ...(q === "" ? {} : { q }) } as FactoryQuery;
  const scopes = FILTERS.flatMap((filter) => (filters[filter] ? [`${filter}:${filters[filter]}`] : []));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of buttons, not a form's fieldset.
    <div class="downloads" role="group" aria-label={words.list.download}>
      <span class="quiet small">{words.list.download}</span>
      <Download
        label={words.list.title}
        file={`jejo-factories-${dayOf(accountedUntilMs)}.csv`}
        read={() => readCsv("/v1/factories", { query })}
      />
      <Download
        label={title(kpi)}
        {...(q === "" ? {} : { unavailable: words.list.downloadSearched })}
        file={`jejo-${kpi}-${window.from}-${window.to}.csv`}
        read={() => readCsv("/v1/kpis", factoryKpis(scopes, window, kpi))}
      />
    </div>
  );
}

/** A button that downloads a file, with the failure beside it if there is one.
 *
 * `unavailable` is the reason why it cannot be used.
 */
function Download(props: { label: string; file: string; unavailable?: string; read: () => Promise<Blob> }) {
  const { label, file, unavailable, read } = props;
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const start = () => {
    setRunning(true);
    setProblem(null);
    read()
      .then((blob) => save(blob, file))
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setRunning(false));
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={running || unavailable !== undefined}
        title={unavailable}
        onClick={start}
      >
        {label}
      </button>
      {problem !== null && <Failure problem={problem} retry={start} />}
    </>
  );
}
