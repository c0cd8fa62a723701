/** Choosers of KPI, window and interval. */

import { useApp } from "../state/context.ts";
import { addDays, dayOf, daysBetween, lastWholeDays } from "../state/seoul.ts";
import { INTERVALS, type View } from "../state/view.ts";

const CHOICES = [7, 30, 90];

/** Lists the KPIs by group, in the order of the definitions. */
export function KpiChooser() {
  const { view, words, definitions, go } = useApp();
  const groups = [...new Set(definitions.map(({ group }) => group))];
  return (
    <label class="control">
      <span>{words.controls.kpi}</span>
      <select value={view.kpi} onChange={(event) => go({ ...view, kpi: event.currentTarget.value })}>
        {groups.map((group) => (
          <optgroup key={group} label={words.controls.groups[group]}>
            {definitions
              .filter((definition) => definition.group === group)
              .map(({ id, title }) => (
                <option key={id} value={id}>
                  {title[view.lang]}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** Offers the last 7, 30 or 90 whole days in Seoul. */
export function WindowChooser() {
  const { view, words, window, accountedUntilMs, go } = useApp();
  const until = dayOf(accountedUntilMs);
  const chosen = window.to === until ? daysBetween(window.from, window.to) : 0;
  return (
    <fieldset class="control choices">
      <legend>{words.controls.window}</legend>
      {CHOICES.map((days) => (
        <button
          key={days}
          type="button"
          aria-pressed={chosen === days}
          onClick={() => go({ ...view, ...lastWholeDays(accountedUntilMs, days) })}
        >
          {words.controls.lastDays(days)}
        </button>
      ))}
      <span class="quiet small window-text">{words.controls.windowText(window.from, addDays(window.to, -1))}</span>
    </fieldset>
  );
}

/** Switches between days and months. */
export function IntervalChooser() {
  const { view, words, go } = useApp();
  return (
    <fieldset class="control choices">
      <legend class="visually-hidden">{words.controls.interval}</legend>
      {INTERVALS.map((interval) => (
        <button
          key={interval}
          type="button"
          aria-pressed={view.interval === interval}
          onClick={() => go({ ...view, interval } satisfies View)}
        >
          {words.controls[interval]}
        </button>
      ))}
    </fieldset>
  );
}

export function Controls() {
  const { words } = useApp();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of controls, not a form's fieldset.
    <div class="controls" role="group" aria-label={words.controls.label}>
      <KpiChooser />
      <WindowChooser />
    </div>
  );
}
