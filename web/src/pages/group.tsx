/** The page of a region, zone or sponsor: which sectors and factories make up its value? */

import { readKpis } from "../api/requests.ts";
import { KpiButton } from "../kpis/button.tsx";
import { Controls } from "../parts/controls.tsx";
import { FactoryList } from "../parts/factory-list.tsx";
import { GroupBars } from "../parts/group-bars.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { TrendPanel } from "../parts/trend-panel.tsx";
import { useApp, useTitle } from "../state/context.ts";
import { kpiOf } from "../state/kpi.ts";
import { useLoad } from "../state/load.ts";
import { useNames } from "../state/names.ts";
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

export function GroupPage() {
  const { view, words } = useApp();
  const name = useGroupName();
  const from = view.page === "region" ? ("nation" as const) : ("programme" as const);
  return (
    <>
      <Heading
        title={name}
        question={words.question.region}
        trail={[{ name: words.nav[from], to: viewOf(view, from) }]}
      />
      <Controls />
      <div class="two-columns">
        <Headlines scope={view.scope} of={name} />
        <TrendPanel scope={view.scope} />
      </div>
      <SectorPanel of={name} />
      <FactoryList within={view.scope} />
    </>
  );
}

/** Returns the name of the view's region, zone or sponsor. */
function useGroupName(): string {
  const { view } = useApp();
  const named = useNames();
  const id = idOf(view.scope);
  return view.page === "zone" || view.page === "sponsor" ? named(view.page, id) : regionName(id, view.lang);
}

/** The scope's main KPIs, with one request. */
export function Headlines({ scope, of }: { scope: string; of: string }) {
  const { view, words, window, definitions } = useApp();
  const shown = HEADLINES.flatMap((kpi) => definitions.find(({ id }) => id === kpi) ?? []);
  const kpis = shown.map(({ id }) => id);
  const loaded = useLoad(`${scope} ${window.from} ${window.to}`, (signal) =>
    readKpis([scope], window, kpis, {}, signal),
  );
  return (
    <Panel title={words.headlines} loaded={loaded} class="headlines" isEmpty={({ items }) => items.length === 0}>
      {(page) => (
        <ul>
          {shown.map((definition) => (
            <li key={definition.id}>
              <span class="quiet small">{definition.title[view.lang]}</span>
              <KpiButton kpi={kpiOf(page.items[0], definition, of)} size="big" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The group's sectors as bars; each filters the list of factories below. */
function SectorPanel({ of: group }: { of: string }) {
  const { view, words } = useApp();
  const title = useTitle();
  return (
    <GroupBars
      scope={view.scope}
      groupBy="sector"
      title={words.sectors.title(title(view.kpi))}
      class="panel-sectors"
      barOf={(item, definition) => {
        const code = idOf(item.scope);
        const name = `${code} ${sectorName(code, view.lang)}`;
        const kpi = kpiOf(item, definition, `${group} · ${name}`, view.scope);
        return kpi && { key: code, name, kpi, to: { ...view, sector: code } };
      }}
    />
  );
}
