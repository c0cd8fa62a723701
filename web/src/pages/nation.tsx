/** The page of the nation: where is the country strong and weak, and since when? */

import type { KpiDefinition, KpiPage } from "../api/openapi.ts";
import { orderBy, readKpis } from "../api/requests.ts";
import { Bars } from "../charts/bars.tsx";
import { makeScale } from "../charts/scale.ts";
import { ScaleLegend } from "../charts/scale-legend.tsx";
import { TileMap } from "../charts/tile-map.tsx";
import { Controls } from "../parts/controls.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProgrammeBar } from "../parts/programme-bar.tsx";
import { TrendPanel } from "../parts/trend-panel.tsx";
import { useApp, useDefinition, useTitle } from "../state/context.ts";
import { hasLowCoverage, type Kpi, kpiOf } from "../state/kpi.ts";
import { useLoad } from "../state/load.ts";
import { idOf, viewOf } from "../state/view.ts";
import type { Language } from "../words/language.ts";
import { regionName } from "../words/places.ts";

const AT_EACH_END = 4;

export function NationPage() {
  const { view, words, window } = useApp();
  const title = useTitle();
  const definitionOf = useDefinition();
  const bestFirst = orderBy(view.kpi, isLowerBetter(definitionOf(view.kpi)) ? "asc" : "desc");
  const regions = useLoad(`${view.kpi} ${window.from} ${window.to}`, (signal) =>
    readKpis(["nation"], window, [view.kpi], { groupBy: "region", orderBy: bestFirst }, signal),
  );
  const kpi = (regions.problem === null ? answeredKpi(regions.data) : undefined) ?? view.kpi;
  const definition = definitionOf(kpi);
  return (
    <>
      <ProgrammeBar />
      <Heading title={words.nationName} question={words.question.nation} />
      <Controls />
      <div class="nation-grid">
        <Panel title={words.map.title(title(kpi))} loaded={regions} class="panel-map">
          {(page) => {
            const kpis = byRegion(page, definition, view.lang);
            const values = [...kpis.values()].flatMap(({ answer }) => answer.value ?? []);
            const scale = makeScale(values);
            return (
              <>
                <TileMap kpis={kpis} scale={scale} />
                <ScaleLegend scale={scale} unit={definition?.value_unit ?? "1"} kpis={[...kpis.values()]} />
              </>
            );
          }}
        </Panel>
        <div class="nation-side">
          <TrendPanel scope="nation" />
          <Panel title={words.ranking.title} loaded={regions} class="panel-ranking">
            {(page) => (
              <Ranking kpis={byRegion(page, definition, view.lang)} lowerIsBetter={isLowerBetter(definition)} />
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

/** Returns the KPI of a response: while a new one loads, still the former. */
function answeredKpi(page: KpiPage | null): string | undefined {
  return Object.keys(page?.items[0]?.kpis ?? {})[0];
}

function isLowerBetter(definition: KpiDefinition | undefined): boolean {
  return definition?.better === "lower";
}

/** Returns the KPIs by region, in the order of the response: the best first. */
function byRegion(page: KpiPage, definition: KpiDefinition | undefined, lang: Language): Map<string, Kpi> {
  const kpis = new Map<string, Kpi>();
  for (const item of page.items) {
    const code = idOf(item.scope);
    const kpi = kpiOf(item, definition, regionName(code, lang));
    if (kpi !== null) {
      kpis.set(code, kpi);
    }
  }
  return kpis;
}

/** The best and the worst regions; bars with too little data are hollow.
 *
 * @param kpis the best first, those without a value last.
 */
function Ranking({ kpis, lowerIsBetter }: { kpis: ReadonlyMap<string, Kpi>; lowerIsBetter: boolean }) {
  const { view, words } = useApp();
  const ranked = [...kpis].flatMap(([code, kpi]) => {
    const to = viewOf(view, "region", `region:${code}`);
    return kpi.answer.value === null ? [] : [{ key: code, name: regionName(code, view.lang), kpi, to }];
  });
  const most = Math.max(0, ...ranked.map(({ kpi }) => kpi.answer.value ?? 0));
  const ends = Math.min(AT_EACH_END, Math.ceil(ranked.length / 2));
  const notes = [
    ...(lowerIsBetter ? [words.ranking.lessIsBetter] : []),
    ...(ranked.some(({ kpi }) => hasLowCoverage(kpi.answer)) ? [words.ranking.hollow] : []),
  ];
  if (ranked.length === 0) {
    return <p class="empty">{words.ranking.none}</p>;
  }
  return (
    <>
      <div class="ranking">
        <div>
          <h3>{words.ranking.best}</h3>
          <Bars bars={ranked.slice(0, ends)} most={most} />
        </div>
        <div>
          <h3>{words.ranking.worst}</h3>
          <Bars bars={ranked.slice(Math.max(ends, ranked.length - AT_EACH_END)).reverse()} most={most} />
        </div>
      </div>
      {notes.length > 0 && <p class="quiet small">{notes.join(" ")}</p>}
    </>
  );
}
