/** The page of a machine: what happened on this day? */

import { readKpis, readMachine, readTimeline } from "../api/requests.ts";
import { AccountBar } from "../charts/account-bar.tsx";
import { StateLegend } from "../charts/patterns.tsx";
import { PieceColumns } from "../charts/pieces.tsx";
import { MarkLegend } from "../charts/scale-legend.tsx";
import { StateStrip } from "../charts/strip.tsx";
import { KpiButton } from "../kpis/button.tsx";
import { CountTable } from "../parts/count-table.tsx";
import { DayChooser } from "../parts/day-chooser.tsx";
import { Facts } from "../parts/facts.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { SegmentTable } from "../parts/segment-table.tsx";
import { useApp } from "../state/context.ts";
import { kpiOf } from "../state/kpi.ts";
import { useLoad } from "../state/load.ts";
import { addDays, dayOf, midnightMs } from "../state/seoul.ts";
import { machineOf, viewOf } from "../state/view.ts";

const STRIP_HEIGHT = 64;

export function MachinePage() {
  const { view, words, accountedUntilMs } = useApp();
  const { factory, machine } = machineOf(view.scope);
  const day = view.day ?? dayOf(accountedUntilMs);
  const window = { from: day, to: addDays(day, 1) };
  const timeline = useLoad(`${view.scope} ${day}`, (signal) => readTimeline(factory, machine, window, signal));
  const facts = useLoad(view.scope, (signal) => readMachine(factory, machine, signal));
  const automation = facts.data?.automation;
  const running = accountedUntilMs < midnightMs(window.to);
  return (
    <>
      <Heading
        title={facts.data?.name ?? machine}
        question={words.question.machine}
        trail={[
          { name: words.nationName, to: viewOf(view, "nation") },
          { name: factory, to: viewOf(view, "factory", `factory:${factory}`, { day }) },
        ]}
      />
      <Facts
        label={words.factory.machine}
        facts={[
          ["ID", machine],
          [words.list.name, factory],
          [words.machine.automation, automation === undefined ? "" : words.automation[automation]],
        ]}
      />
      <Panel
        title={`${words.machine.strip} · ${day} · ${words.seoulTime}`}
        loaded={timeline}
        class={running ? "panel-strip running" : "panel-strip"}
        aside={<DayChooser day={day} />}
      >
        {(data) => {
          // While another day loads, the former one is still drawn, on its own time axis.
          const [fromMs, toMs] = [Date.parse(data.from), Date.parse(data.to)];
          return (
            <>
              {running && <p class="partial-note">… {words.machine.running}</p>}
              <StateStrip timeline={data} fromMs={fromMs} toMs={toMs} height={STRIP_HEIGHT} readable />
              {data.has_calendar && <p class="partial-note shift-note">{words.machine.shifts}</p>}
              <h3>{words.machine.counts}</h3>
              <PieceColumns counts={data.counts} fromMs={fromMs} toMs={toMs} />
              {data.counts_truncated && <p class="partial-note">{words.machine.truncated}</p>}
              <StateLegend />
            </>
          );
        }}
      </Panel>
      <DayFigures window={window} />
      <Panel title={`${words.machine.records} · ${day} · ${words.seoulTime}`} loaded={timeline} class="panel-records">
        {(data) => (
          <div class="records">
            <div>
              <h3>{words.machine.states}</h3>
              <SegmentTable key={day} segments={data.segments} untilMs={accountedUntilMs} />
            </div>
            <div>
              <h3>{words.machine.pieces}</h3>
              <CountTable key={day} counts={data.counts} />
            </div>
          </div>
        )}
      </Panel>
    </>
  );
}

/** The day's time account and KPIs, with one request. */
function DayFigures({ window }: { window: { from: string; to: string } }) {
  const { view, words, definitions } = useApp();
  const loaded = useLoad(`${view.scope} ${window.from}`, (signal) => readKpis([view.scope], window, [], {}, signal));
  const { machine } = machineOf(view.scope);
  return (
    <>
      <Panel
        title={words.machine.account}
        loaded={loaded}
        isEmpty={({ items }) => items.length === 0}
        class="panel-account"
      >
        {({ items: [item] }) => item && <AccountBar timeS={item.time_s} />}
      </Panel>
      <Panel title={words.machine.kpis} loaded={loaded} isEmpty={({ items }) => items.length === 0} class="panel-day">
        {({ items: [item] }) => (
          <>
            <dl class="kpi-list">
              {definitions.map((definition) => (
                <div key={definition.id}>
                  <dt>{definition.title[view.lang]}</dt>
                  <dd>
                    <KpiButton kpi={kpiOf(item, definition, machine)} />
                  </dd>
                </div>
              ))}
            </dl>
            <MarkLegend kpis={definitions.flatMap((definition) => kpiOf(item, definition, machine) ?? [])} />
          </>
        )}
      </Panel>
    </>
  );
}
