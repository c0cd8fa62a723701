/** The selected KPI of a scope's groups as bars, the greatest first, with one request. */

import type { KpiDefinition, KpiItem } from "../api/openapi.ts";
import { orderBy, readKpis } from "../api/requests.ts";
import { type Bar, Bars } from "../charts/bars.tsx";
import { MarkLegend } from "../charts/scale-legend.tsx";
import { useApp, useDefinition } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { Panel } from "./panel.tsx";

interface Props {
  scope: string;
  groupBy: "sector" | "zone" | "sponsor";
  title: string;
  class: string;
  /** Returns a group's bar, or null if it has no such KPI. */
  barOf: (item: KpiItem, definition: KpiDefinition | undefined) => Bar | null;
}

export function GroupBars({ scope, groupBy, title, class: name, barOf }: Props) {
  const { view, window } = useApp();
  const definition = useDefinition();
  const loaded = useLoad(`${scope} ${groupBy} ${view.kpi} ${window.from} ${window.to}`, (signal) =>
    readKpis([scope], window, [view.kpi], { groupBy, orderBy: orderBy(view.kpi, "desc") }, signal),
  );
  return (
    <Panel title={title} loaded={loaded} class={name} isEmpty={({ items }) => items.length === 0}>
      {({ items }) => {
        // While another KPI loads, the former one is still shown.
        const kpi = Object.keys(items[0]?.kpis ?? {})[0] ?? view.kpi;
        const bars = items.flatMap((item) => barOf(item, definition(kpi)) ?? []);
        return (
          <>
            <Bars bars={bars} />
            <MarkLegend kpis={bars.map(({ kpi }) => kpi)} />
          </>
        );
      }}
    </Panel>
  );
}
