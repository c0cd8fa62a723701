/** The look of states: a colour and a pattern each, so that nothing depends on colour alone. No data is hatched. */

import { STATES, type State } from "../api/states.ts";
import { useApp } from "../state/context.ts";

const COLOURS: Record<State, string> = {
  producing: "#1d8a68",
  setup: "#b987c4",
  delayed: "#eeb13c",
  faulted: "#b3321a",
  idle: "#b4bec8",
  planned_stop: "#7fb2d6",
  off_shift: "#edf0f3",
  unknown: "#ffffff",
};

/** Returns the fill of a state's shapes. */
export function fillOf(state: State): string {
  return `url(#state-${state})`;
}

export const NO_VALUE = "url(#state-unknown)";

function Marks({ state }: { state: State }) {
  switch (state) {
    case "unknown":
      return <path d="M-2 10 L10 -2 M-2 2 L2 -2 M6 10 L10 6" stroke="#8592a0" stroke-width="1.4" />;
    case "faulted":
      return <path d="M0 0 L8 8 M8 0 L0 8" stroke="#ffffff" stroke-width="1" stroke-opacity="0.75" />;
    case "setup":
      return <path d="M2 0 V8 M6 0 V8" stroke="#6d3c7a" stroke-width="1" stroke-opacity="0.7" />;
    case "delayed":
      return (
        <g fill="#6b4700" fill-opacity="0.75">
          <circle cx="2" cy="2" r="1" />
          <circle cx="6" cy="6" r="1" />
        </g>
      );
    case "planned_stop":
      return <path d="M0 2 H8 M0 6 H8" stroke="#1f4f74" stroke-width="1" stroke-opacity="0.6" />;
    case "off_shift":
      return <circle cx="4" cy="4" r="0.7" fill="#7b8794" />;
    default:
      return null;
  }
}

/** The pattern definitions, once for all charts of the page. */
export function Patterns() {
  return (
    <svg class="definitions" width="0" height="0" aria-hidden="true" focusable="false">
      <title>patterns</title>
      <defs>
        {STATES.map((state) => (
          <pattern key={state} id={`state-${state}`} width="8" height="8" patternUnits="userSpaceOnUse">
            <rect width="8" height="8" fill={COLOURS[state]} />
            <Marks state={state} />
          </pattern>
        ))}
      </defs>
    </svg>
  );
}

/** A small square with the fill of a state. */
export function Swatch({ state }: { state: State }) {
  return (
    <svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false">
      <rect x="0.5" y="0.5" width="13" height="13" fill={fillOf(state)} stroke="#5b6875" stroke-width="1" />
    </svg>
  );
}

/** The legend of states. */
export function StateLegend() {
  const { words } = useApp();
  return (
    <ul class="legend" aria-label={words.machine.state}>
      {STATES.map((state) => (
        <li key={state}>
          <Swatch state={state} /> {words.states[state]}
        </li>
      ))}
    </ul>
  );
}
