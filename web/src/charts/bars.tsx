/** KPIs of several scopes as bars with values; each name is a link. */

import { KpiButton } from "../kpis/button.tsx";
import { hasLowCoverage, type Kpi } from "../state/kpi.ts";
import { Link } from "../state/link.tsx";
import type { View } from "../state/view.ts";

export interface Bar {
  key: string;
  name: string;
  kpi: Kpi;
  to: View;
}

export function Bars({ bars, most }: { bars: readonly Bar[]; most?: number }) {
  const top = most ?? Math.max(0, ...bars.map((bar) => bar.kpi.answer.value ?? 0));
  return (
    <ul class="bars">
      {bars.map((bar) => (
        <li key={bar.key}>
          <Link to={bar.to} class="bar-name">
            {bar.name}
          </Link>
          <BarShape value={bar.kpi.answer.value} most={top} hollow={hasLowCoverage(bar.kpi.answer)} />
          <KpiButton kpi={bar.kpi} />
        </li>
      ))}
    </ul>
  );
}

/** One bar; hatched without a value, hollow with too little data. */
export function BarShape({ value, most, hollow }: { value: number | null; most: number; hollow: boolean }) {
  const share = value === null || most <= 0 ? 0 : Math.min(1, value / most);
  return (
    <svg class="bar" width="100%" height="14" aria-hidden="true" focusable="false">
      <rect class="bar-ground" width="100%" height="14" rx="2" />
      {value === null ? (
        <rect width="100%" height="14" rx="2" fill="url(#state-unknown)" />
      ) : (
        <rect class={hollow ? "bar-thin" : "bar-fill"} width={`${share * 100}%`} height="14" rx="2" />
      )}
    </svg>
  );
}
