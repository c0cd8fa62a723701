/** A time account as one stacked bar, and as numbers that add up. */

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
      <dl class="account-parts">
        {parts.map(({ state, seconds }) => (
          <div key={state} data-state={state} data-seconds={seconds} class={seconds === 0 ? "nothing" : ""}>
            <dt>
              <Swatch state={state} /> {words.states[state]}
            </dt>
            <dd class="number">{duration(seconds, view.lang)}</dd>
            <dd class="number quiet">{whole === 0 ? "–" : percent(seconds / whole)}</dd>
          </div>
        ))}
      </dl>
      <p class="account-whole" data-state="whole" data-seconds={whole}>
        {words.machine.addsUp(duration(whole, view.lang))}
      </p>
    </div>
  );
}
