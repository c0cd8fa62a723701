/** The filters of the list of factories: search, region, sector, level, zone, sponsor. */

import type { FactoryListEntry } from "../api/openapi.ts";
import { useApp } from "../state/context.ts";
import { type NamedKind, useNames } from "../state/names.ts";
import { FILTERS, type Filter, type View } from "../state/view.ts";
import { REGIONS, SECTORS, sectorName } from "../words/places.ts";

interface Option {
  value: string;
  name: string;
}

const NOTHING: Record<Filter, ""> = { region: "", sector: "", level: "", zone: "", sponsor: "" };

interface Props {
  /** The filter that the page itself sets. */
  fixed: Filter | null;
  /** Their zones and sponsors are the options. */
  factories: readonly FactoryListEntry[];
}

export function FactoryFilters({ fixed, factories }: Props) {
  const { view, words, adjust } = useApp();
  const nameOf = useNames();
  const labels = words.list;
  const offered = FILTERS.filter((filter) => filter !== fixed);
  const narrowed = view.q !== "" || offered.some((filter) => view[filter] !== "");
  const named = (kind: NamedKind): Option[] =>
    [...new Set([...factories.flatMap((factory) => factory[kind] ?? []), ...(view[kind] === "" ? [] : [view[kind]])])]
      .map((value) => ({ value, name: nameOf(kind, value) }))
      .sort((a, b) => a.name.localeCompare(b.name));
  const options: Record<Filter, () => Option[]> = {
    region: () => REGIONS.map((region) => ({ value: region.code, name: region[view.lang] })),
    sector: () => SECTORS.map((code) => ({ value: code, name: `${code} ${sectorName(code, view.lang)}` })),
    level: () => Object.entries(words.levels).map(([value, name]) => ({ value, name })),
    zone: () => named("zone"),
    sponsor: () => named("sponsor"),
  };
  return (
    <search class="filters">
      <label class="control">
        <span>{labels.search}</span>
        <input
          type="search"
          value={view.q}
          placeholder={labels.searchHint}
          onInput={(event) => adjust({ ...view, q: event.currentTarget.value })}
        />
      </label>
      {offered.map((filter) => (
        <Choice key={filter} filter={filter} name={labels[filter]} options={options[filter]()} />
      ))}
      <button
        type="button"
        class="button"
        disabled={!narrowed}
        onClick={() => adjust({ ...view, q: "", ...NOTHING } satisfies View)}
      >
        {labels.clear}
      </button>
    </search>
  );
}

function Choice({ filter, name, options }: { filter: Filter; name: string; options: readonly Option[] }) {
  const { view, words, adjust } = useApp();
  return (
    <label class="control">
      <span>{name}</span>
      <select value={view[filter]} onChange={(event) => adjust({ ...view, [filter]: event.currentTarget.value })}>
        <option value="">{words.list.all}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  );
}
