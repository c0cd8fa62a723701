/** The panel that shows the selected KPI of a scope over time. */

import { useEffect, useState } from "preact/hooks";
import { readKpis } from "../api/requests.ts";
import { useApp, useDefinition, useTitle } from "../state/context.ts";
import { kpiOf } from "../state/kpi.ts";
import { useLoad } from "../state/load.ts";
import { useNames } from "../state/names.ts";
import { scopeWords } from "../state/scope-words.ts";
import { wholeMonths } from "../state/seoul.ts";
import { IntervalChooser } from "./controls.tsx";
import { Panel, Skeleton } from "./panel.tsx";

// The chart library is a file of its own, which loads in parallel with the first values.
const chart = import("../charts/trend.tsx");
type Chart = Awaited<typeof chart>;

function useChart(): Chart | null {
  const [loaded, setLoaded] = useState<Chart | null>(null);
  useEffect(() => {
    chart.then((module) => setLoaded(module));
  }, []);
  return loaded;
}

export function TrendPanel({ scope }: { scope: string }) {
  const { view, words, window } = useApp();
  const title = useTitle();
  const definition = useDefinition();
  const { kpi, interval } = view;
  const period = interval === "month" ? wholeMonths(window.from, window.to) : window;
  const loaded = useLoad(`${scope} ${kpi} ${interval} ${period.from} ${period.to}`, (signal) =>
    readKpis([scope], period, [kpi], { interval }, signal),
  );
  const drawn = useChart();
  const of = scopeWords(scope, words, view.lang, useNames());
  return (
    <Panel
      title={words.trend.title(title(kpi))}
      loaded={loaded}
      isEmpty={(page) => page.items.length === 0}
      class="panel-trend"
      aside={<IntervalChooser />}
    >
      {(page) => {
        // While another KPI loads, the former one is still shown.
        const shown = definition(Object.keys(page.items[0]?.kpis ?? {})[0] ?? kpi);
        const kpis = page.items.flatMap((item) => kpiOf(item, shown, of) ?? []);
        return drawn === null || shown === undefined ? (
          <Skeleton label={words.panel.loading} />
        ) : (
          <drawn.Trend kpis={kpis} definition={shown} interval={interval} />
        );
      }}
    </Panel>
  );
}
