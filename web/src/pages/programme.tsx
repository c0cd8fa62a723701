/** The page of the programme: are we reaching the targets? */

import { readProgramme } from "../api/requests.ts";
import { Controls } from "../parts/controls.tsx";
import { GroupBars } from "../parts/group-bars.tsx";
import { Heading } from "../parts/heading.tsx";
import { Panel } from "../parts/panel.tsx";
import { TargetTable } from "../parts/target-table.tsx";
import { useApp, useTitle } from "../state/context.ts";
import { kpiOf } from "../state/kpi.ts";
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
      <GroupsPanel kind="zone" />
      <GroupsPanel kind="sponsor" />
    </>
  );
}

/** The zones, or the sponsors, by the selected KPI; each links to its own page. */
function GroupsPanel({ kind }: { kind: NamedKind }) {
  const { view, words } = useApp();
  const title = useTitle();
  const nameOf = useNames();
  return (
    <GroupBars
      scope="nation"
      groupBy={kind}
      title={words.groups[kind](title(view.kpi))}
      class="panel-groups"
      barOf={(item, definition) => {
        const id = idOf(item.scope);
        const name = nameOf(kind, id);
        const kpi = kpiOf(item, definition, name);
        return kpi && { key: id, name, kpi, to: viewOf(view, kind, `${kind}:${id}`) };
      }}
    />
  );
}
