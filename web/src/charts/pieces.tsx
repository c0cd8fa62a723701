/** Pieces made over a day, as columns below the state strip: good ones, with scrap and rework on top. */

import type { TimelineCount } from "../api/openapi.ts";
import { useApp } from "../state/context.ts";
import { grouped } from "../state/numbers.ts";
import { timeOf } from "../state/seoul.ts";
import { type Pieces, piecesBySlot } from "./segments.ts";

const SLOT_MS = 15 * 60_000;
const HEIGHT = 72;

interface Props {
  counts: readonly TimelineCount[];
  fromMs: number;
  toMs: number;
}

function wholeOf({ good, scrap, rework }: Pieces): number {
  return good + scrap + rework;
}

export function PieceColumns({ counts, fromMs, toMs }: Props) {
  const { words } = useApp();
  const slots = piecesBySlot(counts, fromMs, toMs, SLOT_MS);
  const most = Math.max(1, ...slots.map(wholeOf));
  const sum = slots.reduce(
    (all, slot) => ({
      good: all.good + slot.good,
      scrap: all.scrap + slot.scrap,
      rework: all.rework + slot.rework,
    }),
    { good: 0, scrap: 0, rework: 0 },
  );
  const bad = sum.scrap + sum.rework;
  const label = `${words.machine.good} ${grouped(sum.good)}, ${words.machine.scrap} ${grouped(sum.scrap)}, ${words.machine.rework} ${grouped(sum.rework)}`;
  const height = (pieces: number) => (pieces / most) * (HEIGHT - 2);
  return (
    <div class="pieces">
      <svg width="100%" height={HEIGHT} role="img" aria-label={`${words.machine.counts}: ${label}`}>
        <line class="pieces-base" x1="0" x2="100%" y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {slots.map((slot, n) => {
          const good = height(slot.good);
          const rest = height(slot.scrap + slot.rework);
          const x = `${(n / slots.length) * 100}%`;
          const width = `${(1 / slots.length) * 100 * 0.8}%`;
          return (
            wholeOf(slot) > 0 && (
              <g key={slot.fromMs}>
                <title>{`${timeOf(slot.fromMs)} ${grouped(wholeOf(slot))}`}</title>
                <rect class="pieces-good" x={x} width={width} y={HEIGHT - good - 1} height={good} />
                <rect class="pieces-bad" x={x} width={width} y={HEIGHT - good - rest - 1} height={rest} />
              </g>
            )
          );
        })}
      </svg>
      <p class="pieces-sum number">
        {counts.length === 0 ? (
          words.machine.noCounts
        ) : (
          <>
            <Sample kind="good" />
            <span data-pieces={sum.good}>
              {words.machine.good} {grouped(sum.good)}
            </span>
            {bad > 0 && (
              <>
                {" · "}
                <Sample kind="bad" />
                {words.machine.scrap} {grouped(sum.scrap)} · {words.machine.rework} {grouped(sum.rework)}
              </>
            )}
          </>
        )}
      </p>
    </div>
  );
}

/** A sample of a column's colour, beside its sum. */
function Sample({ kind }: { kind: "good" | "bad" }) {
  return (
    <svg class="swatch" width="10" height="10" aria-hidden="true" focusable="false">
      <rect class={`pieces-${kind}`} width="10" height="10" />
    </svg>
  );
}
