/** Which colour means which range of values, and what the marks mean. */

import { MARKS } from "../figures/data.ts";
import { useApp } from "../state/context.ts";
import { axisText } from "../state/numbers.ts";
import { Swatch } from "./patterns.tsx";
import type { Scale } from "./scale.ts";

export function ScaleLegend({ scale, kpi }: { scale: Scale | null; kpi: string }) {
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
              <span>{axisText(kpi, scale.breaks[n] ?? 0, view.lang)}</span>
              {n === scale.colours.length - 1 && (
                <span class="scale-end">{axisText(kpi, scale.breaks[n + 1] ?? 0, view.lang)}</span>
              )}
            </li>
          ))}
        </ol>
      )}
      <MarkLegend />
    </div>
  );
}

/** What the marks beside a figure mean. */
export function MarkLegend() {
  const { words } = useApp();
  return (
    <ul class="mark-legend" aria-label={words.marks.legend}>
      <li>
        <Swatch state="unknown" /> {words.figure.none}
      </li>
      <li>
        <span aria-hidden="true">{MARKS["low_coverage"]}</span> {words.flagShort["low_coverage"]}
      </li>
      <li>
        <span aria-hidden="true">{MARKS["above_range"]}</span> {words.flagShort["above_range"]}
      </li>
      <li>
        <span aria-hidden="true">{MARKS["partial"]}</span> {words.marks.partialLong}
      </li>
    </ul>
  );
}
