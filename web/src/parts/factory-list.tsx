/** The list of factories: search, filters, order, downloads; only the rows in view are rendered. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { MarkLegend } from "../charts/scale-legend.tsx";
import { KpiButton } from "../kpis/button.tsx";
import { useApp, useDefinition, useTitle } from "../state/context.ts";
import { useFactories, useFactoryKpis } from "../state/factory-data.ts";
import { arrange, narrow, prepare, type Row, rank, rankedBy, type Sort } from "../state/factory-rows.ts";
import { kpiOf } from "../state/kpi.ts";
import { Link } from "../state/link.tsx";
import { grouped, percent } from "../state/numbers.ts";
import { useRankedKpis } from "../state/ranked-kpis.ts";
import { FILTERS, idOf, viewOf } from "../state/view.ts";
import { regionName, sectorName } from "../words/places.ts";
import { Downloads } from "./downloads.tsx";
import { FactoryFilters } from "./factory-filters.tsx";
import { Failure } from "./failure.tsx";
import { Skeleton } from "./panel.tsx";
import { useRowsInView } from "./rows-in-view.ts";

const ROW_HEIGHT = 44;
const EDGES = 2;

/** @param within the scope whose factories are listed. */
export function FactoryList({ within }: { within: string }) {
  const { view, words, window } = useApp();
  const { kpi } = view;
  const definition = useDefinition()(kpi);
  const fixed = FILTERS.find((filter) => within.startsWith(`${filter}:`)) ?? null;
  const { q, region, sector, level, zone, sponsor, sort, order, lang } = view;
  const narrowed = q !== "" || FILTERS.some((filter) => filter !== fixed && view[filter] !== "");
  const orderBy = rankedBy(sort, order, kpi);
  const factories = useFactories(within);
  const values = useFactoryKpis(orderBy === null ? within : null, window, kpi);
  const ranked = useRankedKpis(within, window, kpi, orderBy, narrowed);
  const listed = useMemo(() => prepare(factories.data), [factories.data]);
  const found = useMemo(() => {
    const by = { q, region, sector, level, zone, sponsor };
    return narrow(listed, fixed === null ? by : { ...by, [fixed]: "" });
  }, [listed, q, region, sector, level, zone, sponsor, fixed]);
  const rows = useMemo(() => {
    if (orderBy !== null && (ranked.items.length > 0 || ranked.done)) {
      return rank(found, ranked.items, ranked.done);
    }
    const withItems = found.map((each): Row => ({ ...each, item: values.data.get(each.factory.factory_id) }));
    return arrange(withItems, sort, order, lang);
  }, [found, values.data, ranked.items, ranked.done, orderBy, sort, order, lang]);
  useEffect(() => {
    if (rows.length === 0 && factories.done) {
      ranked.more();
    }
  });
  const kpis = useMemo(
    () => rows.flatMap(({ item, factory }) => kpiOf(item, definition, factory.name, within) ?? []),
    [rows, definition, within],
  );
  const filters = Object.fromEntries(
    FILTERS.map((filter) => [filter, filter === fixed ? idOf(within) : view[filter]] as const).filter(
      ([, value]) => value !== "",
    ),
  );
  const nothing = within === "nation" ? words.list.noneAtAll : words.list.noneHere;
  const problem = factories.problem ?? values.problem ?? ranked.problem;
  const [shown, all] = [grouped(found.length), grouped(factories.data.length)];
  const state = problem !== null ? "error" : factories.done && values.done && !ranked.loading ? "ready" : "loading";
  return (
    <section class="panel factories" aria-label={words.list.title} aria-busy={state === "loading"} data-state={state}>
      <header class="panel-head">
        <h2>{words.list.title}</h2>
        <p class="quiet" role="status" data-factories={found.length}>
          {factories.done ? words.list.count(shown, all) : words.list.loading(all)}
        </p>
      </header>
      <FactoryFilters fixed={fixed} factories={factories.data} />
      {problem !== null && (
        <Failure
          problem={problem}
          retry={() => {
            factories.retry();
            values.retry();
            ranked.retry();
          }}
        />
      )}
      {factories.data.length === 0 && !factories.done && problem === null && <Skeleton label={words.panel.loading} />}
      {factories.done && problem === null && found.length === 0 && (
        <p class="empty">{factories.data.length > 0 ? words.list.none : nothing}</p>
      )}
      {rows.length > 0 && (
        <Table
          rows={rows}
          all={found.length}
          kpisDone={(values.done && !ranked.stale) || problem !== null}
          within={within}
          onEnd={ranked.more}
        />
      )}
      <MarkLegend kpis={kpis} />
      {factories.data.length > 0 && <Downloads filters={filters} />}
    </section>
  );
}

interface TableProps {
  /** The rows so far. */
  rows: readonly Row[];
  /** How many there will be. */
  all: number;
  kpisDone: boolean;
  within: string;
  /** Called while the last row is in view. */
  onEnd: () => void;
}

/** The table; empty rows stand for those above and below the view. */
function Table({ rows, all, kpisDone, within, onEnd }: TableProps) {
  const { view, words } = useApp();
  const title = useTitle();
  const box = useRef<HTMLElement>(null);
  const { first, last } = useRowsInView(box, rows.length, ROW_HEIGHT);
  useEffect(() => {
    if (last >= rows.length) {
      onEnd();
    }
  });
  return (
    <section
      class="rows"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard.
      tabIndex={0}
      aria-label={words.list.title}
      style={{ height: `${(rows.length + 1) * ROW_HEIGHT + EDGES}px` }}
    >
      <table aria-rowcount={all + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <Head sort="name" name={words.list.name} />
            {!within.startsWith("region:") && <Head sort="region" name={words.list.region} class="wide narrow" />}
            <Head sort="sector" name={words.list.sector} class="wide broad" />
            <Head sort="level" name={words.list.level} class="wide narrow" />
            <Head sort="machines" name={words.list.machines} class="number wide narrow" />
            <Head sort="kpi" name={title(view.kpi)} class="number" />
            <Head sort="coverage" name={words.list.coverage} class="number" />
          </tr>
        </thead>
        <tbody>
          <Space rows={first} />
          {rows.slice(first, last).map((row, n) => (
            <Line key={row.factory.factory_id} row={row} index={first + n} waiting={!kpisDone} within={within} />
          ))}
          <Space rows={rows.length - last} />
        </tbody>
      </table>
    </section>
  );
}

interface LineProps {
  row: Row;
  index: number;
  waiting: boolean;
  within: string;
}

function Space({ rows }: { rows: number }) {
  return rows <= 0 ? null : <tr class="space" style={{ height: `${rows * ROW_HEIGHT}px` }} />;
}

function Head({ sort, name, ...rest }: { sort: Sort; name: string; class?: string }) {
  const { view, adjust } = useApp();
  const chosen = view.sort === sort;
  const next = chosen && view.order === "asc" ? "desc" : "asc";
  return (
    <th
      class={rest.class ?? ""}
      scope="col"
      aria-sort={chosen ? (view.order === "asc" ? "ascending" : "descending") : "none"}
    >
      <button type="button" class="sort" onClick={() => adjust({ ...view, sort, order: next })}>
        {name}
        <span aria-hidden="true">{chosen ? (view.order === "asc" ? " ↑" : " ↓") : ""}</span>
      </button>
    </th>
  );
}

function Line({ row, index, waiting, within }: LineProps) {
  const { view, words } = useApp();
  const definition = useDefinition();
  const { factory, item } = row;
  const kpi = kpiOf(item, definition(view.kpi), factory.name, within);
  const sector = `${factory.sector} ${sectorName(factory.sector, view.lang)}`;
  return (
    <tr aria-rowindex={index + 2} data-factory={factory.factory_id}>
      <th scope="row">
        <Link to={viewOf(view, "factory", `factory:${factory.factory_id}`)}>{factory.name}</Link>
        <span class="quiet small">{factory.factory_id}</span>
      </th>
      {!within.startsWith("region:") && <td class="wide">{regionName(factory.region, view.lang)}</td>}
      <td class="wide" title={sector}>
        {sector}
      </td>
      <td class="wide">{words.levels[factory.level]}</td>
      <td class="wide number">{grouped(factory.machines ?? 0)}</td>
      <td class="number">{kpi === null && waiting ? <span class="wait" /> : <KpiButton kpi={kpi} />}</td>
      <td class="number">{item?.coverage === null || item === undefined ? "–" : percent(item.coverage)}</td>
    </tr>
  );
}
