/** Are we reaching the targets? */

import { readKpis, readProgramme } from "../api/requests.ts";
import { Bars, sorted } from "../charts/bars.tsx";
import { MarkLegend } from "../charts/scale-legend.tsx";
import { figureOf } from "../figures/data.ts";
import { Controls } from "../parts/controls.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { TargetTable } from "../parts/target-table.tsx";
import { useApp, useTitle } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { type NamedKind, useNames } from "../state/names.ts";
import { idOf, viewOf } from "../state/view.ts";

export function ProgrammePage() {
  const { words } = useApp();
  const programme = useLoad("programme", readProgramme);
  return (
    <>
      <Heading title={words.nav.programme} question={words.question.programme} />
      <Panel title={words.programme.targets} loaded={programme} class="panel-targets">
        {({ targets }) => <TargetTable targets={targets} />}
      </Panel>
      <Controls />
      <div class="two-columns">
        <GroupsPanel kind="zone" />
        <GroupsPanel kind="sponsor" />
      </div>
    </>
  );
}

/** The zones, or the sponsors, by the chosen figure; each leads to its own page. */
function GroupsPanel({ kind }: { kind: NamedKind }) {
  const { view, words, window } = useApp();
  const title = useTitle();
  const name = useNames();
  const loaded = useLoad(`${kind} ${view.kpi} ${window.from} ${window.to}`, (signal) =>
    readKpis(["nation"], window, [view.kpi], { groupBy: kind }, signal),
  );
  return (
    <Panel
      title={words.groups[kind](title(view.kpi))}
      loaded={loaded}
      class="panel-groups"
      isEmpty={({ items }) => items.length === 0}
    >
      {(page) => {
        const kpi = Object.keys(page.items[0]?.kpis ?? {})[0] ?? view.kpi;
        const bars = page.items.flatMap((item) => {
          const id = idOf(item.scope);
          const figure = figureOf(item, kpi, name(kind, id));
          return figure === null
            ? []
            : [{ key: id, name: name(kind, id), figure, to: viewOf(view, kind, `${kind}:${id}`) }];
        });
        return (
          <>
            <Bars bars={sorted(bars)} />
            <MarkLegend figures={bars.map(({ figure }) => figure)} />
          </>
        );
      }}
    </Panel>
  );
}
