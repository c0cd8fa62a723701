/** The panel of a factory's data quality: what it sent on each day of the window, and what of it could be used. */

import type { QualityItem, QualityPercentiles } from "../api/openapi.ts";
import { readQuality } from "../api/requests.ts";
import { useApp } from "../state/context.ts";
import { useLoad } from "../state/load.ts";
import { grouped, percent, signedDuration } from "../state/numbers.ts";
import { acceptedShare, daysToAsk, type QualityRow, qualityRows, refusals } from "../state/quality.ts";
import { dayOf } from "../state/seoul.ts";
import { useFirstRows } from "./first-rows.tsx";
import { Panel } from "./panel.tsx";

const NONE = "–";

export function QualityPanel({ factoryId }: { factoryId: string }) {
  const { words, window: chosen, accountedUntilMs } = useApp();
  const today = dayOf(accountedUntilMs);
  const window = daysToAsk(chosen, today);
  const loaded = useLoad(`${factoryId} ${window.from} ${window.to}`, (signal) =>
    readQuality(factoryId, window, signal),
  );
  return (
    <Panel
      title={words.quality.title}
      loaded={loaded}
      class="panel-quality"
      isEmpty={({ items }) => items.length === 0}
      emptyText={words.quality.nothing}
    >
      {({ items }) => <QualityTable rows={qualityRows(items, window, today)} />}
    </Panel>
  );
}

function QualityTable({ rows }: { rows: readonly QualityRow[] }) {
  const { words } = useApp();
  const { shown, more } = useFirstRows(rows);
  const labels = words.quality;
  return (
    <>
      <div class="scrolls">
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">{labels.day}</th>
              <th scope="col" class="number">
                {labels.records}
              </th>
              <th scope="col" class="number">
                {labels.accepted}
              </th>
              <th scope="col">{labels.refused}</th>
              <th scope="col" class="number">
                {labels.lost}
              </th>
              <th scope="col" class="number wide">
                {labels.late}
              </th>
              <th scope="col" class="number wide">
                {labels.delay}
              </th>
              <th scope="col" class="number wide">
                {labels.offset}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ day, item }) => (
              <tr key={day} data-quality={day}>
                <td class="tabular">{day}</td>
                {item === null ? (
                  <td class="quiet" colSpan={7}>
                    {labels.silent}
                  </td>
                ) : (
                  <QualityCells item={item} />
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="quiet small">{labels.note}</p>
      {more}
    </>
  );
}

function QualityCells({ item }: { item: QualityItem }) {
  const { view, words } = useApp();
  const labels = words.quality;
  const share = acceptedShare(item);
  const { rows, late_share, receipt_delay_s, clock_offset_s } = item;
  const beside = [
    rows.duplicate > 0 && labels.duplicate(grouped(rows.duplicate)),
    rows.clashed > 0 && labels.clashed(grouped(rows.clashed)),
    rows.revised > 0 && labels.revised(grouped(rows.revised)),
  ].filter(Boolean);
  const both = ({ p50, p99 }: QualityPercentiles) =>
    p50 === null || p99 === null ? NONE : `${signedDuration(p50, view.lang)} (${signedDuration(p99, view.lang)})`;
  return (
    <>
      <td class="number">{grouped(item.records)}</td>
      <td class="number">
        {share === null ? NONE : percent(share)}
        {beside.length > 0 && <div class="quiet small">{beside.join(" · ")}</div>}
      </td>
      <td>
        {refusals(item).length === 0
          ? NONE
          : refusals(item).map(([reason, count]) => (
              <div key={reason} title={reason}>
                {labels.refusedRows(labels.reasons[reason] ?? reason, grouped(count))}
              </div>
            ))}
      </td>
      <td class="number">
        {item.sequence_gaps === 0 ? NONE : labels.lostInGaps(grouped(item.lost_records), grouped(item.sequence_gaps))}
      </td>
      <td class="number wide">{late_share === null ? NONE : percent(late_share)}</td>
      <td class="number wide">{both(receipt_delay_s)}</td>
      <td class="number wide">{both(clock_offset_s)}</td>
    </>
  );
}
