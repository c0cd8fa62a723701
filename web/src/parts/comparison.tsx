/** A factory's KPIs beside those of a cohort that the reader selects. */

import type { CurrentSession, ValueUnit } from "../api/openapi.ts";
import { type Factory, readKpis } from "../api/requests.ts";
import { MarkLegend } from "../charts/scale-legend.tsx";
import { KpiButton } from "../kpis/button.tsx";
import { useApp } from "../state/context.ts";
import { kpiOf } from "../state/kpi.ts";
import { type Loaded, useLoad } from "../state/load.ts";
import { useNames } from "../state/names.ts";
import { regionOf, seesEverything } from "../state/roles.ts";
import { scopeWords } from "../state/scope-words.ts";
import { COHORTS, type Cohort } from "../state/view.ts";
import { Failure } from "./failure.tsx";
import { Panel } from "./panel.tsx";

/** Returns a cohort's scopes, to be intersected; a regional officer's are limited to the region.
 *
 * @returns null if the factory has no such cohort, or the reader's role may not see it.
 */
export function cohortScopes(factory: Factory, cohort: Cohort, session: CurrentSession): string[] | null {
  const region = regionOf(session);
  if (cohort === "nation") {
    return seesEverything(session) ? ["nation"] : null;
  }
  const value = factory[cohort];
  if (!value || !(seesEverything(session) || region !== null)) {
    return null;
  }
  const scope = `${cohort}:${value}`;
  return region === null || cohort === "region" ? [scope] : [`region:${region}`, scope];
}

export function Comparison({ factory }: { factory: Loaded<Factory> }) {
  const { view, words, window, definitions, session } = useApp();
  const named = useNames();
  const compares = seesEverything(session) || regionOf(session) !== null;
  const own = useLoad(`${view.scope} ${window.from} ${window.to}`, (signal) =>
    readKpis([view.scope], window, [], {}, signal),
  );
  const scopes = factory.data === null ? null : cohortScopes(factory.data, view.cohort, session);
  const cohort = useLoad(scopes === null ? null : `${scopes} ${window.from} ${window.to}`, (signal) =>
    readKpis(scopes ?? [], window, [], {}, signal),
  );
  const waiting = factory.loading || cohort.loading;
  const name = factory.data?.name ?? view.scope;
  const cohortName = scopes === null ? words.kpi.none : scopeWords(scopes.join("&"), words, view.lang, named);
  return (
    <Panel
      title={compares ? words.factory.comparison : words.factory.kpis}
      loaded={own}
      class="panel-comparison"
      isEmpty={({ items }) => items.length === 0}
      aside={compares && <CohortChooser factory={factory.data} />}
    >
      {(page) => (
        <>
          {cohort.problem !== null && <Failure problem={cohort.problem} retry={cohort.retry} />}
          <table class="data-table">
            <thead>
              <tr>
                <th scope="col">{words.factory.kpi}</th>
                <th scope="col" class="number">
                  {words.factory.own}
                </th>
                {compares && (
                  <>
                    <th scope="col" class="number">
                      {cohortName}
                    </th>
                    <th scope="col" class="number wide">
                      {words.factory.difference}
                    </th>
                  </>
                )}
              </tr>
            </thead>
            <tbody>
              {definitions.map((definition) => {
                const mine = kpiOf(page.items[0], definition, name);
                const theirs = scopes === null ? null : kpiOf(cohort.data?.items[0], definition, cohortName);
                return (
                  <tr key={definition.id}>
                    <th scope="row">{definition.title[view.lang]}</th>
                    <td class="number">
                      <KpiButton kpi={mine} />
                    </td>
                    {compares && (
                      <>
                        <td class="number">{waiting ? <span class="wait" /> : <KpiButton kpi={theirs} />}</td>
                        <td class="number quiet wide difference">
                          <Difference
                            unit={definition.value_unit}
                            mine={mine?.answer.value}
                            theirs={theirs?.answer.value}
                          />
                        </td>
                      </>
                    )}
                  </tr>
                );
              })}
            </tbody>
          </table>
          <MarkLegend
            kpis={[page.items[0], cohort.data?.items[0]].flatMap((item) =>
              definitions.flatMap((definition) => kpiOf(item, definition, name) ?? []),
            )}
          />
          {!compares && <p class="quiet small">{words.factory.alone}</p>}
        </>
      )}
    </Panel>
  );
}

/** The difference of two ratios, in percentage points; a dash for other units. */
function Difference(props: { unit: ValueUnit; mine: number | null | undefined; theirs: number | null | undefined }) {
  const { words } = useApp();
  const { unit, mine, theirs } = props;
  if (typeof mine !== "number" || typeof theirs !== "number" || unit !== "1") {
    return <>–</>;
  }
  const points = Math.round((mine - theirs) * 1000) / 10;
  const sign = points > 0 ? "+" : points < 0 ? "−" : "";
  return (
    <>
      {sign}
      {Math.abs(points).toFixed(1)} {words.factory.points}
    </>
  );
}

function CohortChooser({ factory }: { factory: Factory | null }) {
  const { view, words, session, go } = useApp();
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
          <option
            key={cohort}
            value={cohort}
            disabled={factory !== null && cohortScopes(factory, cohort, session) === null}
          >
            {words.factory.cohorts[cohort]}
          </option>
        ))}
      </select>
    </label>
  );
}
