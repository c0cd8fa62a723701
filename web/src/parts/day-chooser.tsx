/** Selects a day: the previous, the next, or from a calendar. */

import { useApp } from "../state/context.ts";
import { addDays, dayOf, isDay } from "../state/seoul.ts";

export function DayChooser({ day }: { day: string }) {
  const { view, words, accountedUntilMs, go } = useApp();
  const last = dayOf(accountedUntilMs);
  const choose = (chosen: string) => go({ ...view, day: chosen });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of controls, not a form's fieldset.
    <div class="day-chooser" role="group" aria-label={words.machine.day}>
      <button type="button" class="button" aria-label={words.machine.before} onClick={() => choose(addDays(day, -1))}>
        ←
      </button>
      <input
        type="date"
        aria-label={words.machine.day}
        value={day}
        max={last}
        onChange={(event) => isDay(event.currentTarget.value) && choose(event.currentTarget.value)}
      />
      <button
        type="button"
        class="button"
        aria-label={words.machine.after}
        disabled={day >= last}
        onClick={() => choose(addDays(day, 1))}
      >
        →
      </button>
    </div>
  );
}
