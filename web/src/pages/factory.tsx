/** The page of a factory: what are its machines doing, and how does it compare? */

import { type Factory, readFactory, readMachines } from "../api/requests.ts";
import { StateLegend } from "../charts/patterns.tsx";
import { HourAxis } from "../charts/strip.tsx";
import { Comparison } from "../parts/comparison.tsx";
import { Controls } from "../parts/controls.tsx";
import { DayChooser } from "../parts/day-chooser.tsx";
import { Facts } from "../parts/facts.tsx";
import { Heading } from "../parts/heading.tsx";
import { MachineRow } from "../parts/machine-row.tsx";
import { Panel } from "../parts/panel.tsx";
import { QualityPanel } from "../parts/quality-panel.tsx";
import { TrendPanel } from "../parts/trend-panel.tsx";
import { useApp } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { useNames } from "../state/names.ts";
import { dayOf } from "../state/seoul.ts";
import { idOf, viewOf } from "../state/view.ts";
import { regionName, sectorName } from "../words/places.ts";

export function FactoryPage() {
  const { view, words } = useApp();
  const id = idOf(view.scope);
  const factory = useLoad(id, (signal) => readFactory(id, signal));
  const facts = factory.data;
  const region = facts === null ? null : { name: regionName(facts.region, view.lang), scope: `region:${facts.region}` };
  return (
    <>
      <Heading
        title={facts?.name ?? id}
        question={words.question.factory}
        trail={[
          { name: words.nationName, to: viewOf(view, "nation") },
          ...(region === null ? [] : [{ name: region.name, to: viewOf(view, "region", region.scope) }]),
        ]}
      />
      <FactsLine factory={facts} id={id} />
      <MachinesPanel factoryId={id} />
      <Controls />
      <div class="two-columns">
        <Comparison factory={factory} />
        <TrendPanel scope={view.scope} />
      </div>
      <QualityPanel factoryId={id} />
    </>
  );
}

/** Its enterprise, and the cohorts it belongs to. */
function FactsLine({ factory, id }: { factory: Factory | null; id: string }) {
  const { view, words } = useApp();
  const named = useNames();
  const facts: [string, string][] = [["ID", id]];
  if (factory !== null) {
    const { enterprise_name, enterprise_id, region, sector, level, size, zone, sponsor } = factory;
    facts.push(
      [words.factory.enterprise, enterprise_name ?? enterprise_id],
      [words.list.region, regionName(region, view.lang)],
      [words.list.sector, `${sector} ${sectorName(sector, view.lang)}`],
      [words.list.level, words.levels[level]],
    );
    if (size) {
      facts.push([words.list.size, size]);
    }
    if (zone) {
      facts.push([words.list.zone, named("zone", zone)]);
    }
    if (sponsor) {
      facts.push([words.list.sponsor, named("sponsor", sponsor)]);
    }
  }
  return <Facts label={words.factory.facts} facts={facts} />;
}

/** The machines as rows, each with the strip of its day. */
function MachinesPanel({ factoryId }: { factoryId: string }) {
  const { view, words, accountedUntilMs } = useApp();
  const day = view.day ?? dayOf(accountedUntilMs);
  const machines = useLoad(factoryId, (signal) => readMachines(factoryId, signal));
  return (
    <Panel
      title={words.factory.machinesOn(day)}
      loaded={machines}
      class="panel-machines"
      isEmpty={(list) => list.length === 0}
      emptyText={words.factory.noMachines}
      aside={<DayChooser day={day} />}
    >
      {(list) => (
        <>
          <div class="machine-rows">
            {list.map((machine) => (
              <MachineRow key={machine.machine_id} factoryId={factoryId} machine={machine} day={day} />
            ))}
          </div>
          <div class="machine-axis">
            <HourAxis />
          </div>
          <StateLegend />
        </>
      )}
    </Panel>
  );
}
