/** A time account as one stacked bar, and the same as numbers that add up. */

import { STATES, type State } from "../api/states.ts";
import { useApp } from "../state/context.ts";
import { duration, percent } from "../state/numbers.ts";
import { fillOf, Swatch } from "./patterns.tsx";

export function AccountBar({ timeS }: { timeS: Record<State, number> }) {
  const { words, view } = useApp();
  const whole = STATES.reduce((sum, state) => sum + timeS[state], 0);
  let before = 0;
  const parts = STATES.map((state) => {
    const part = { state, seconds: timeS[state], start: before };
    before += timeS[state];
    return part;
  });
  const share = (seconds: number) => (whole === 0 ? 0 : (seconds / whole) * 100);
  return (
    <div class="account">
      <svg width="100%" height="40" role="img" aria-label={words.machine.account}>
        {parts.map(({ state, seconds, start }) => (
          <rect
            key={state}
            x={`${share(start)}%`}
            width={`${share(seconds)}%`}
            height="40"
            fill={fillOf(state)}
            stroke="#ffffff"
          />
        ))}
      </svg>
      <table class="account-table">
        <tbody>
          {parts.map(({ state, seconds }) => (
            <tr key={state} data-state={state} data-seconds={seconds} class={seconds === 0 ? "nothing" : ""}>
              <th scope="row">
                <Swatch state={state} /> {words.states[state]}
              </th>
              <td class="number">{duration(seconds, view.lang)}</td>
              <td class="number quiet">{whole === 0 ? "–" : percent(seconds / whole)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr data-state="whole" data-seconds={whole}>
            <td colSpan={3}>{words.machine.addsUp(duration(whole, view.lang))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}
