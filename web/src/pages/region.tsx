/** Which sectors and factories make that figure? */

import { readKpis } from "../api/requests.ts";
import { Bars, sorted } from "../charts/bars.tsx";
import { figureOf } from "../figures/data.ts";
import { Figure } from "../figures/figure.tsx";
import { Controls } from "../parts/controls.tsx";
import { FactoryList } from "../parts/factory-list.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { TrendPanel } from "../parts/trend-panel.tsx";
import { useApp, useTitle } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { idOf, viewOf } from "../state/view.ts";
import { regionName, sectorName } from "../words/places.ts";

const HEADLINES = [
  "availability",
  "oee",
  "quality_ratio",
  "auto_collected_share",
  "automatic_production_share",
  "coverage",
];

export function RegionPage() {
  const { view, words } = useApp();
  const code = idOf(view.scope);
  const name = regionName(code, view.lang);
  return (
    <>
      <Heading
        title={name}
        question={words.question.region}
        trail={[{ name: words.nationName, to: viewOf(view, "nation") }]}
      />
      <Controls />
      <Headlines scope={view.scope} of={name} />
      <div class="two-columns">
        <SectorPanel />
        <TrendPanel scope={view.scope} />
      </div>
      <FactoryList fixedRegion={code} />
    </>
  );
}

/** The scope's main figures in one line, with one request. */
export function Headlines({ scope, of }: { scope: string; of: string }) {
  const { words, window, definitions } = useApp();
  const title = useTitle();
  const kpis = HEADLINES.filter((kpi) => definitions.some(({ id }) => id === kpi));
  const loaded = useLoad(`${scope} ${window.from} ${window.to}`, (signal) =>
    readKpis([scope], window, kpis, {}, signal),
  );
  return (
    <Panel title={words.headlines} loaded={loaded} class="headlines" isEmpty={({ items }) => items.length === 0}>
      {(page) => (
        <ul>
          {kpis.map((kpi) => (
            <li key={kpi}>
              <span class="quiet small">{title(kpi)}</span>
              <Figure figure={figureOf(page.items[0], kpi, of)} size="big" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The region's sectors as bars; one narrows the list of factories below. */
function SectorPanel() {
  const { view, words, window } = useApp();
  const title = useTitle();
  const loaded = useLoad(`${view.scope} ${view.kpi} ${window.from} ${window.to}`, (signal) =>
    readKpis([view.scope], window, [view.kpi], { groupBy: "sector" }, signal),
  );
  return (
    <Panel
      title={words.sectors.title(title(view.kpi))}
      loaded={loaded}
      class="panel-sectors"
      isEmpty={({ items }) => items.length === 0}
    >
      {(page) => {
        const kpi = Object.keys(page.items[0]?.kpis ?? {})[0] ?? view.kpi;
        const bars = page.items.flatMap((item) => {
          const code = idOf(item.scope);
          const name = `${code} ${sectorName(code, view.lang)}`;
          const of = `${regionName(idOf(view.scope), view.lang)} · ${name}`;
          const figure = figureOf(item, kpi, of, view.scope);
          return figure === null ? [] : [{ key: code, name, figure, to: { ...view, sector: code } }];
        });
        return <Bars bars={sorted(bars)} />;
      }}
    </Panel>
  );
}
