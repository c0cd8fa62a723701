/** The states of a machine, in display order. */

import type { TimeAccount } from "./openapi.ts";

export type State = keyof TimeAccount;

/** A record, so that a missing state does not compile. */
const LISTED: Record<State, true> = {
  producing: true,
  setup: true,
  delayed: true,
  faulted: true,
  idle: true,
  planned_stop: true,
  off_shift: true,
  unknown: true,
};

export const STATES = Object.keys(LISTED) as readonly State[];
