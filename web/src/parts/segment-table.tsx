/** A machine's states with mode, reason and duration: the strip as a table. */

import type { TimelineSegment } from "../api/openapi.ts";
import { Swatch } from "../charts/patterns.tsx";
import { joined } from "../charts/segments.ts";
import { useApp } from "../state/context.ts";
import { duration } from "../state/numbers.ts";
import { timeOf } from "../state/seoul.ts";
import { useFirstRows } from "./first-rows.tsx";

export function SegmentTable({ segments, untilMs }: { segments: readonly TimelineSegment[]; untilMs: number }) {
  const { words, view } = useApp();
  const labels = words.machine;
  const rows = joined(segments).filter((segment) => Date.parse(segment.from) < untilMs);
  const { shown, more } = useFirstRows(rows);
  return (
    <>
      <div class="scrolls">
        <table class="data-table segments">
          <thead>
            <tr>
              <th scope="col">{labels.from}</th>
              <th scope="col">{labels.to}</th>
              <th scope="col" class="number">
                {labels.lasted}
              </th>
              <th scope="col">{labels.state}</th>
              <th scope="col" class="wide">
                {labels.mode}
              </th>
              <th scope="col" class="wide">
                {labels.reason}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((segment) => {
              const [fromMs, toMs] = [Date.parse(segment.from), Math.min(Date.parse(segment.to), untilMs)];
              const mode = segment.mode === null ? "" : words.modes[segment.mode];
              return (
                <tr key={segment.from}>
                  <td class="tabular">{timeOf(fromMs, true)}</td>
                  <td class="tabular">{timeOf(toMs, true)}</td>
                  <td class="number">{duration((toMs - fromMs) / 1000, view.lang)}</td>
                  <td>
                    <Swatch state={segment.state} /> {words.states[segment.state]}
                    <span class="slim quiet small">{[mode, segment.reason].filter(Boolean).join(" · ")}</span>
                  </td>
                  <td class="wide">{mode}</td>
                  <td class="wide">{segment.reason ?? ""}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {more}
    </>
  );
}
