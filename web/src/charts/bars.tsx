/** Figures of things of one kind as sorted bars, each with its number; a name may lead somewhere. */

import { type FigureData, isThin } from "../figures/data.ts";
import { Figure } from "../figures/figure.tsx";
import { Link } from "../parts/link.tsx";
import type { View } from "../state/view.ts";

export interface Bar {
  key: string;
  name: string;
  figure: FigureData;
  to: View;
}

/** The greatest first; what has no value last. */
export function sorted(bars: readonly Bar[]): Bar[] {
  const value = (bar: Bar) => bar.figure.answer.value ?? Number.NEGATIVE_INFINITY;
  return [...bars].sort((a, b) => value(b) - value(a) || a.key.localeCompare(b.key));
}

export function Bars({ bars, most }: { bars: readonly Bar[]; most?: number }) {
  const top = most ?? Math.max(0, ...bars.map((bar) => bar.figure.answer.value ?? 0));
  return (
    <ul class="bars">
      {bars.map((bar) => (
        <li key={bar.key}>
          <Link to={bar.to} class="bar-name">
            {bar.name}
          </Link>
          <BarShape value={bar.figure.answer.value} most={top} thin={isThin(bar.figure.answer)} />
          <Figure figure={bar.figure} />
        </li>
      ))}
    </ul>
  );
}

/** One bar; hatched where there is no value, hollow where too little was heard. */
export function BarShape({ value, most, thin }: { value: number | null; most: number; thin: boolean }) {
  const share = value === null || most <= 0 ? 0 : Math.min(1, value / most);
  return (
    <svg class="bar" width="100%" height="14" aria-hidden="true" focusable="false">
      <rect class="bar-ground" width="100%" height="14" rx="2" />
      {value === null ? (
        <rect width="100%" height="14" rx="2" fill="url(#state-unknown)" />
      ) : (
        <rect class={thin ? "bar-thin" : "bar-fill"} width={`${share * 100}%`} height="14" rx="2" />
      )}
    </svg>
  );
}
