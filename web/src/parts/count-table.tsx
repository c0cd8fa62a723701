/** The counts of a day as received, one by one. */

import type { TimelineCount } from "../api/openapi.ts";
import { useApp } from "../state/context.ts";
import { grouped } from "../state/numbers.ts";
import { timeOf } from "../state/seoul.ts";
import { useFirstRows } from "./first-rows.tsx";

export function CountTable({ counts }: { counts: readonly TimelineCount[] }) {
  const { words } = useApp();
  const { shown, more } = useFirstRows(counts);
  const labels = words.machine;
  if (counts.length === 0) {
    return <p class="empty">{labels.noCounts}</p>;
  }
  return (
    <>
      <div class="scrolls">
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">{labels.at}</th>
              <th scope="col" class="number">
                {labels.good}
              </th>
              <th scope="col" class="number">
                {labels.scrap}
              </th>
              <th scope="col" class="number">
                {labels.rework}
              </th>
              <th scope="col">{labels.product}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((count) => (
              <tr key={`${count.at} ${count.product}`} data-count={count.at}>
                <td class="tabular">{timeOf(Date.parse(count.at), true)}</td>
                <td class="number">{grouped(count.good)}</td>
                <td class="number">{grouped(count.scrap)}</td>
                <td class="number">{grouped(count.rework)}</td>
                <td>{count.product}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more}
    </>
  );
}
