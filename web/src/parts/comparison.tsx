/** A factory's figures beside those of a cohort that the reader chooses. */

import { readKpis } from "../api/requests.ts";
import type { Factory } from "../api/types.ts";
import { figureOf } from "../figures/data.ts";
import { Figure } from "../figures/figure.tsx";
import { useApp, useTitle } from "../state/context.ts";
import { type Loaded, useLoad } from "../state/load.ts";
import { kindOf } from "../state/numbers.ts";
import { scopeWords } from "../state/scope-words.ts";
import { COHORTS, type Cohort } from "../state/view.ts";
import { Failure, Panel } from "./panel.tsx";

/** The cohort's scope; null where the factory is in none of that kind. */
export function cohortScope(factory: Factory, cohort: Cohort): string | null {
  if (cohort === "nation") {
    return "nation";
  }
  const value = factory[cohort];
  return value ? `${cohort}:${value}` : null;
}

export function Comparison({ factory }: { factory: Loaded<Factory> }) {
  const { view, words, window, definitions } = useApp();
  const title = useTitle();
  const kpis = definitions.map(({ id }) => id);
  const own = useLoad(`${view.scope} ${window.from} ${window.to}`, (signal) =>
    readKpis([view.scope], window, [], {}, signal),
  );
  const scope = factory.data === null ? null : cohortScope(factory.data, view.cohort);
  const cohort = useLoad(scope === null ? null : `${scope} ${window.from} ${window.to}`, (signal) =>
    readKpis([scope ?? "nation"], window, [], {}, signal),
  );
  const waiting = factory.loading || cohort.loading;
  const name = factory.data?.name ?? view.scope;
  const cohortName = scope === null ? words.figure.none : scopeWords(scope, words, view.lang);
  return (
    <Panel
      title={words.factory.comparison}
      loaded={own}
      class="panel-comparison"
      isEmpty={({ items }) => items.length === 0}
      aside={<CohortChooser factory={factory.data} />}
    >
      {(page) => (
        <>
          {cohort.problem !== null && <Failure problem={cohort.problem} retry={cohort.retry} />}
          <table class="figures-table">
            <thead>
              <tr>
                <th scope="col">{words.factory.kpi}</th>
                <th scope="col" class="number">
                  {words.factory.own}
                </th>
                <th scope="col" class="number">
                  {cohortName}
                </th>
                <th scope="col" class="number wide">
                  {words.factory.difference}
                </th>
              </tr>
            </thead>
            <tbody>
              {kpis.map((kpi) => {
                const mine = figureOf(page.items[0], kpi, name);
                const theirs = figureOf(cohort.data?.items[0], kpi, cohortName);
                return (
                  <tr key={kpi}>
                    <th scope="row">{title(kpi)}</th>
                    <td class="number">
                      <Figure figure={mine} />
                    </td>
                    <td class="number">{waiting ? <span class="wait" /> : <Figure figure={theirs} />}</td>
                    <td class="number quiet wide">
                      <Difference kpi={kpi} mine={mine?.answer.value} theirs={theirs?.answer.value} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </>
      )}
    </Panel>
  );
}

/** How far apart two ratios are, in percentage points; nothing for other kinds. */
function Difference(props: { kpi: string; mine: number | null | undefined; theirs: number | null | undefined }) {
  const { words } = useApp();
  const { kpi, mine, theirs } = props;
  if (typeof mine !== "number" || typeof theirs !== "number" || kindOf(kpi) !== "ratio") {
    return <>–</>;
  }
  const points = (mine - theirs) * 100;
  const sign = points > 0 ? "+" : points < 0 ? "−" : "";
  return (
    <>
      {sign}
      {Math.abs(points).toFixed(1)} {words.factory.points}
    </>
  );
}

function CohortChooser({ factory }: { factory: Factory | null }) {
  const { view, words, go } = useApp();
  return (
    <label class="control inline">
      <span>{words.factory.compare}</span>
      <select
        value={view.cohort}
        onChange={(event) => {
          const cohort = COHORTS.find((known) => known === event.currentTarget.value);
          if (cohort !== undefined) {
            go({ ...view, cohort });
          }
        }}
      >
        {COHORTS.map((cohort) => (
          <option key={cohort} value={cohort} disabled={factory !== null && cohortScope(factory, cohort) === null}>
            {words.factory.cohorts[cohort]}
          </option>
        ))}
      </select>
    </label>
  );
}
