/** A figure of one scope over time, as a panel with its own request. */

import { useEffect, useState } from "preact/hooks";
import { readKpis } from "../api/requests.ts";
import { figureOf } from "../figures/data.ts";
import { useApp, useDefinition, useTitle } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { useNames } from "../state/names.ts";
import { scopeWords } from "../state/scope-words.ts";
import { wholeMonths } from "../state/seoul.ts";
import { IntervalChooser } from "./controls.tsx";
import { Panel, Skeleton } from "./panel.tsx";

// The chart library comes in a file of its own, beside the first figures instead of before them.
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
  const asked = interval === "month" ? wholeMonths(window.from, window.to) : window;
  const loaded = useLoad(`${scope} ${kpi} ${interval} ${asked.from} ${asked.to}`, (signal) =>
    readKpis([scope], asked, [kpi], { interval }, signal),
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
        // While another figure loads, the former one is still shown.
        const shown = definition(Object.keys(page.items[0]?.kpis ?? {})[0] ?? kpi);
        const figures = page.items.flatMap((item) => figureOf(item, shown, of) ?? []);
        return drawn === null || shown === undefined ? (
          <Skeleton label={words.panel.loading} />
        ) : (
          <drawn.Trend figures={figures} definition={shown} interval={interval} />
        );
      }}
    </Panel>
  );
}
