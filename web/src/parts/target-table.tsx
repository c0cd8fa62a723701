/** The programme's targets, one row each: reached, target, gap, history, and the outlook at the present rate. */

import type { ProgrammeFigure, ProgrammeTarget } from "../api/openapi.ts";
import { Trajectory } from "../charts/trajectory.tsx";
import { useApp } from "../state/context.ts";
import { grouped, sumText } from "../state/numbers.ts";
import { outlook } from "../state/rate.ts";

export function TargetTable({ targets }: { targets: readonly ProgrammeTarget[] }) {
  const { words } = useApp();
  const labels = words.programme;
  return (
    <table class="data-table targets">
      <thead>
        <tr>
          <th scope="col">{labels.goal}</th>
          <th scope="col" class="number">
            {labels.reached}
          </th>
          <th scope="col" class="number">
            {labels.target}
          </th>
          <th scope="col" class="number">
            {labels.gapHead}
          </th>
          <th scope="col">{labels.trajectory}</th>
          <th scope="col">{labels.present}</th>
        </tr>
      </thead>
      <tbody>
        {targets.flatMap((target) => [
          <Line key={target.id} figure={target} target={target} />,
          ...target.also.map((figure) => <Line key={figure.id} figure={figure} target={null} />),
        ])}
      </tbody>
    </table>
  );
}

/** One row; `target` is null for a figure that only accompanies a target. */
function Line({ figure, target }: { figure: ProgrammeFigure; target: ProgrammeTarget | null }) {
  const { words, view } = useApp();
  const labels = words.programme;
  const { unit, reached, baseline } = figure;
  const aim = target?.target ?? null;
  const title = figure.title[view.lang];
  const number = (value: number) => sumText(value, unit, view.lang);
  const gapText = (gap: number) => (gap > 0 ? number(gap) : gap === 0 ? labels.noGap : labels.passed(number(-gap)));
  const course = figure.history.map(({ on, value }) => `${on} ${grouped(value)}`).join(", ");
  return (
    <tr class={target === null ? "also" : ""} data-target={figure.id} data-reached={reached} data-aim={aim ?? ""}>
      <th scope="row">
        {title}
        {target !== null && <span class={`kind ${target.kind}`}>{labels.kind[target.kind] ?? target.kind}</span>}
        <details class="small">
          <summary>{words.kpi.definition}</summary>
          <p>{figure.definition[view.lang]}</p>
          <p class="quiet">{labels.history}</p>
          <ul class="history">
            {figure.history.map(({ on, value }) => (
              <li key={on}>
                <span>{on}</span> <span class="number">{grouped(value)}</span>
              </li>
            ))}
          </ul>
        </details>
      </th>
      <td class="number" data-name={labels.reached}>
        <strong>{number(reached)}</strong>
      </td>
      <td class="number" data-name={labels.target}>
        {aim === null ? labels.noTarget : number(aim)}
        {target?.target_on && <span class="quiet small block">{labels.dueBy(target.target_on)}</span>}
      </td>
      <td class="number" data-name={labels.gapHead}>
        {aim === null ? "–" : gapText(aim - reached)}
      </td>
      <td data-name={labels.trajectory}>
        <Trajectory figure={figure} target={aim} label={`${title}: ${course}`} />
        {baseline && (
          <span class="quiet small block">{labels.plan(grouped(baseline.value), baseline.on.slice(0, 4))}</span>
        )}
      </td>
      <td data-name={labels.present}>{aim === null ? "–" : <OutlookText figure={figure} aim={aim} />}</td>
    </tr>
  );
}

function OutlookText({ figure, aim }: { figure: ProgrammeFigure; aim: number }) {
  const { words } = useApp();
  const labels = words.programme;
  const found = outlook(figure, aim);
  if (found === null) {
    return <>{labels.noRate}</>;
  }
  if (found.kind === "reached") {
    return <>{labels.reachedBy(found.on)}</>;
  }
  const rate = labels.rate(grouped(found.perYear, 1), found.since);
  return (
    <>
      {found.kind === "on" ? <span class="tabular">{found.day}</span> : labels.never}
      <span class="quiet small block">{rate}</span>
    </>
  );
}
