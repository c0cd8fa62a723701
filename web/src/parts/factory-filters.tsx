/** How the list of factories is narrowed: words to search for, region, sector, level. */

import { useApp } from "../state/context.ts";
import type { View } from "../state/view.ts";
import { REGIONS, SECTORS, sectorName } from "../words/places.ts";

type Filter = "region" | "sector" | "level";

interface Option {
  value: string;
  name: string;
}

export function FactoryFilters({ withRegion }: { withRegion: boolean }) {
  const { view, words, adjust } = useApp();
  const said = words.list;
  const narrowed = view.q !== "" || view.sector !== "" || view.level !== "" || (withRegion && view.region !== "");
  const regions = REGIONS.map((region) => ({ value: region.code, name: region[view.lang] }));
  const sectors = SECTORS.map((code) => ({ value: code, name: `${code} ${sectorName(code, view.lang)}` }));
  const levels = Object.entries(words.levels).map(([value, name]) => ({ value, name }));
  return (
    <search class="filters">
      <label class="control">
        <span>{said.search}</span>
        <input
          type="search"
          value={view.q}
          placeholder={said.searchHint}
          onInput={(event) => adjust({ ...view, q: event.currentTarget.value })}
        />
      </label>
      {withRegion && <Choice filter="region" name={said.region} options={regions} />}
      <Choice filter="sector" name={said.sector} options={sectors} />
      <Choice filter="level" name={said.level} options={levels} />
      <button
        type="button"
        class="button"
        disabled={!narrowed}
        onClick={() => adjust({ ...view, q: "", region: "", sector: "", level: "" } satisfies View)}
      >
        {said.clear}
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
