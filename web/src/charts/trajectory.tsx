/** The history of one of the programme's figures as a small line, with its target as a dashed one. */

import type { ProgrammeFigure } from "../api/openapi.ts";
import { midnightMs } from "../state/seoul.ts";

const WIDTH = 180;
const HEIGHT = 48;
const EDGE = 5;

export function Trajectory({
  figure,
  target,
  label,
}: {
  figure: ProgrammeFigure;
  target: number | null;
  label: string;
}) {
  const { history, baseline } = figure;
  const times = history.map(({ on }) => midnightMs(on));
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1];
  const most = Math.max(1, target ?? 0, baseline?.value ?? 0, ...history.map(({ value }) => value));
  const x = (ms: number) => EDGE + ((ms - first) / Math.max(1, last - first)) * (WIDTH - 2 * EDGE);
  const y = (value: number) => HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE);
  const points = history.map(({ value }, n) => `${x(times[n] ?? first).toFixed(1)},${y(value).toFixed(1)}`);
  return (
    <svg class="trajectory" width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      {target !== null && <line class="trajectory-aim" x1={0} x2={WIDTH} y1={y(target)} y2={y(target)} />}
      {baseline !== null && (
        <circle class="trajectory-base" cx={x(midnightMs(baseline.on))} cy={y(baseline.value)} r="3.5" />
      )}
      <polyline points={points.join(" ")} />
      <circle class="trajectory-now" cx={x(last)} cy={y(history.at(-1)?.value ?? 0)} r="3.5" />
    </svg>
  );
}
