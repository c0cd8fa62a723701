/** The programme at a glance: factories installed against the target, machines connected, automatic production. */

import type { ComponentChildren } from "preact";
import type { KpiDefinition, KpiPage, ProgrammeTarget } from "../api/openapi.ts";
import { readKpis, readProgramme } from "../api/requests.ts";
import { BarShape } from "../charts/bars.tsx";
import { KpiButton } from "../kpis/button.tsx";
import { useApp } from "../state/context.ts";
import { hasLowCoverage, kpiOf } from "../state/kpi.ts";
import { Link } from "../state/link.tsx";
import { type Loaded, useLoad } from "../state/load.ts";
import { grouped, percent } from "../state/numbers.ts";
import { viewOf } from "../state/view.ts";
import { Content, Failure } from "./failure.tsx";
import { Skeleton } from "./panel.tsx";

const SHARES = ["auto_collected_share", "automatic_production_share"];
const INSTALLED = "smart_factories_built";

export function ProgrammeBar() {
  const { view, words, window, definitions } = useApp();
  const programme = useLoad("programme", readProgramme);
  const shown = SHARES.flatMap((share) => definitions.find(({ id }) => id === share) ?? []);
  const known = shown.map(({ id }) => id);
  const shares = useLoad(`${known} ${window.from} ${window.to}`, (signal) =>
    readKpis(["nation"], window, known, {}, signal),
  );
  return (
    <section class="programme" aria-label={words.programme.title}>
      <Cell
        title={words.programme.installed}
        loaded={programme}
        class="programme-installed"
        aside={<Link to={viewOf(view, "programme")}>{words.programme.all}</Link>}
      >
        {({ targets }) => {
          const target = targets.find(({ id }) => id === INSTALLED);
          return target ? <Installed target={target} /> : <p class="empty">{words.panel.empty}</p>;
        }}
      </Cell>
      {shown.map((definition) => (
        <Share key={definition.id} definition={definition} loaded={shares} />
      ))}
    </section>
  );
}

interface CellProps<T> {
  title: string;
  loaded: Loaded<T>;
  class?: string;
  aside?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}

function Cell<T>({ title, loaded, aside, children, ...rest }: CellProps<T>) {
  const { words } = useApp();
  return (
    <div
      class={`programme-cell ${rest.class ?? ""}`}
      data-state={loaded.problem ? "error" : loaded.data ? "ready" : "loading"}
    >
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {loaded.problem !== null ? (
        <Failure problem={loaded.problem} retry={loaded.retry} />
      ) : loaded.data === null ? (
        <Skeleton label={words.panel.loading} />
      ) : (
        <Content data={loaded.data} retry={loaded.retry}>
          {children}
        </Content>
      )}
    </div>
  );
}

/** Factories installed, against the target and the baseline. */
function Installed({ target }: { target: ProgrammeTarget }) {
  const { words } = useApp();
  const labels = words.programme;
  const { reached, target: aim, baseline, target_on: dueOn, kind } = target;
  const most = Math.max(aim ?? 0, reached) * 1.04;
  const at = (value: number) => `${(value / most) * 100}%`;
  return (
    <div data-target={target.id} data-reached={reached} data-aim={aim ?? ""}>
      <p class="big-line">
        <strong class="big-number number">{grouped(reached)}</strong>
        {aim !== null && <span class="quiet"> {labels.of(grouped(aim))}</span>}
        <span class={`kind ${kind}`}>{labels.kind[kind] ?? kind}</span>
      </p>
      {aim !== null && (
        <svg class="bullet" width="100%" height="22" aria-hidden="true" focusable="false">
          <rect class="bar-ground" y="4" width="100%" height="14" rx="2" />
          <rect class="bar-fill" y="4" width={at(reached)} height="14" rx="2" />
          {baseline && <line class="bullet-base" x1={at(baseline.value)} x2={at(baseline.value)} y1="4" y2="18" />}
          <line class="bullet-aim" x1={at(aim)} x2={at(aim)} y1="0" y2="22" />
        </svg>
      )}
      {aim !== null && (
        <p class="quiet small">
          {labels.ofTarget(percent(reached / aim))}
          {" · "}
          {reached >= aim ? labels.passed(grouped(reached - aim)) : labels.gap(grouped(aim - reached))}
          {dueOn && ` · ${labels.dueBy(dueOn)}`}
          {baseline && ` · ${labels.baseline(grouped(baseline.value), baseline.on.slice(0, 4))}`}
        </p>
      )}
    </div>
  );
}

/** A national share, as a number above a bar. */
function Share({ definition, loaded }: { definition: KpiDefinition; loaded: Loaded<KpiPage> }) {
  const { words, view } = useApp();
  return (
    <Cell title={definition.title[view.lang]} loaded={loaded}>
      {(page) => {
        const kpi = kpiOf(page.items[0], definition, words.nationName);
        if (kpi === null) {
          return <p class="empty">{words.panel.empty}</p>;
        }
        return (
          <>
            <p class="big-line">
              <KpiButton kpi={kpi} size="big" />
            </p>
            <BarShape value={kpi.answer.value} most={1} hollow={hasLowCoverage(kpi.answer)} />
            <p class="quiet small">
              {words.kpi.factoriesAndMachines(grouped(kpi.factories), grouped(kpi.machines))}
              {kpi.coverage !== null && ` · ${words.kpi.coverage} ${percent(kpi.coverage)}`}
            </p>
          </>
        );
      }}
    </Cell>
  );
}
