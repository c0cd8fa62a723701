/** A machine's day as a strip of states, in Seoul time. */

import { useState } from "preact/hooks";
import type { Timeline } from "../api/openapi.ts";
import { useApp } from "../state/context.ts";
import { duration } from "../state/numbers.ts";
import { timeOf } from "../state/seoul.ts";
import { fillOf } from "./patterns.tsx";
import { type Stretch, stretches, timeInStates } from "./segments.ts";

const SHIFT_MARGIN = 5;
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21, 24];

interface Props {
  timeline: Timeline;
  fromMs: number;
  toMs: number;
  height: number;
  /** With an hour axis, and a readout of the stretch under the pointer. */
  readable?: boolean;
}

export function StateStrip({ timeline, fromMs, toMs, height, readable = false }: Props) {
  const { words, view, accountedUntilMs } = useApp();
  const [at, setAt] = useState<Stretch | null>(null);
  const known = Math.min(toMs, Math.max(fromMs, accountedUntilMs));
  const drawn = stretches(timeline.segments, fromMs, known);
  const share = (ms: number) => `${(((ms - fromMs) / (toMs - fromMs)) * 100).toFixed(4)}%`;
  const width = (ms: number) => `${((ms / (toMs - fromMs)) * 100).toFixed(4)}%`;
  // Shifts show as a band behind the states, above and below them.
  const margin = timeline.has_calendar ? Math.min(SHIFT_MARGIN, height / 6) : 0;
  const summary = timeInStates(drawn)
    .map(([state, ms]) => `${words.states[state]} ${duration(ms / 1000, view.lang)}`)
    .join(", ");
  const find = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGSVGElement).getBoundingClientRect();
    const ms = fromMs + ((event.clientX - box.left) / box.width) * (toMs - fromMs);
    setAt(drawn.find((stretch) => stretch.fromMs <= ms && ms < stretch.toMs) ?? null);
  };
  return (
    <div class="strip">
      <svg
        width="100%"
        height={height}
        role="img"
        aria-label={summary || words.states.unknown}
        data-stretches={drawn.length}
        {...(readable ? { onPointerMove: find, onPointerLeave: () => setAt(null) } : {})}
      >
        <rect width="100%" height={height} class="strip-ground" />
        {timeline.shifts.map((shift) => {
          const [startMs, endMs] = [Date.parse(shift.from), Date.parse(shift.to)];
          return (
            <rect
              key={shift.from}
              class="strip-shift"
              x={share(startMs)}
              width={width(endMs - startMs)}
              y={0}
              height={height}
            />
          );
        })}
        {drawn.map((stretch) => (
          <rect
            key={stretch.fromMs}
            x={share(stretch.fromMs)}
            width={width(stretch.toMs - stretch.fromMs)}
            y={margin}
            height={height - 2 * margin}
            fill={fillOf(stretch.state)}
          />
        ))}
        {at !== null && (
          <rect
            class="strip-at"
            x={share(at.fromMs)}
            width={width(at.toMs - at.fromMs)}
            y="1"
            height={height - 2}
            fill="none"
          />
        )}
        {known < toMs && <line class="strip-now" x1={share(known)} x2={share(known)} y1="0" y2={height} />}
      </svg>
      {readable && <HourAxis />}
      {readable && (
        <p class="strip-readout" aria-hidden="true">
          {at === null
            ? " "
            : `${timeOf(at.fromMs, true)}–${timeOf(at.toMs, true)}  ${words.states[at.state]}  ${duration((at.toMs - at.fromMs) / 1000, view.lang)}`}
        </p>
      )}
    </div>
  );
}

/** The hour axis of a strip. */
export function HourAxis() {
  return (
    <svg class="hour-axis" width="100%" height="20" aria-hidden="true" focusable="false">
      {HOURS.map((hour) => {
        const x = `${(hour / 24) * 100}%`;
        const anchor = hour === 0 ? "start" : hour === 24 ? "end" : "middle";
        return (
          <g key={hour}>
            <line x1={x} x2={x} y1="0" y2="4" />
            <text x={x} y="16" text-anchor={anchor}>
              {String(hour).padStart(2, "0")}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
