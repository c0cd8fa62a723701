/** The legend of a colour scale, and of marks. */

import type { ValueUnit } from "../api/openapi.ts";
import { useApp } from "../state/context.ts";
import { type Kpi, MARKS, marksOf } from "../state/kpi.ts";
import { axisText } from "../state/numbers.ts";
import { flagTitle } from "../words/definitions.ts";
import { Swatch } from "./patterns.tsx";
import type { Scale } from "./scale.ts";

interface Props {
  scale: Scale | null;
  unit: ValueUnit;
  kpis: readonly Kpi[];
}

export function ScaleLegend({ scale, unit, kpis }: Props) {
  const { words, view } = useApp();
  return (
    <div class="scale-legend">
      {scale !== null && (
        <ol aria-label={words.map.legend}>
          {scale.colours.map((colour, n) => (
            <li key={colour}>
              <svg width="100%" height="12" aria-hidden="true" focusable="false">
                <rect width="100%" height="12" fill={colour} />
              </svg>
              <span>{axisText(scale.breaks[n] ?? 0, unit, view.lang)}</span>
              {n === scale.colours.length - 1 && (
                <span class="scale-end">{axisText(scale.breaks[n + 1] ?? 0, unit, view.lang)}</span>
              )}
            </li>
          ))}
        </ol>
      )}
      <MarkLegend kpis={kpis} />
    </div>
  );
}

/** The legend of the marks beside these KPIs; nothing if there are none. */
export function MarkLegend({ kpis }: { kpis: readonly Kpi[] }) {
  const { words, view, meanings } = useApp();
  const found = new Set(kpis.flatMap(marksOf));
  const shown = Object.entries(MARKS).filter(([mark]) => found.has(mark));
  const hollow = kpis.some(({ answer }) => answer.value === null);
  if (shown.length === 0 && !hollow) {
    return null;
  }
  return (
    <ul class="mark-legend" aria-label={words.marks.legend}>
      {hollow && (
        <li>
          <Swatch state="unknown" /> {words.kpi.none}
        </li>
      )}
      {shown.map(([mark, sign]) => (
        <li key={mark}>
          <span class="marks" aria-hidden="true">
            {sign}
          </span>{" "}
          {mark === "partial" ? words.marks.partialLong : flagTitle(meanings, mark, view.lang)}
        </li>
      ))}
    </ul>
  );
}
