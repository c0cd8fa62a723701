/** Prepares a machine's segments and counts for drawing. Pure. */

import type { TimelineCount, TimelineSegment } from "../api/openapi.ts";
import { STATES, type State } from "../api/states.ts";

export interface Stretch {
  fromMs: number;
  toMs: number;
  state: State;
}

/** Returns stretches of one state each, cut to the window; equal neighbours are joined. */
export function stretches(segments: readonly TimelineSegment[], fromMs: number, toMs: number): Stretch[] {
  const found: Stretch[] = [];
  for (const segment of segments) {
    const stretch = {
      fromMs: Math.max(Date.parse(segment.from), fromMs),
      toMs: Math.min(Date.parse(segment.to), toMs),
      state: segment.state,
    };
    const last = found.at(-1);
    if (stretch.fromMs >= stretch.toMs) {
      continue;
    }
    if (last?.state === stretch.state && last.toMs === stretch.fromMs) {
      last.toMs = stretch.toMs;
    } else {
      found.push(stretch);
    }
  }
  return found;
}

/** Returns the segments with equal neighbours (state, mode and reason) joined. */
export function joined(segments: readonly TimelineSegment[]): TimelineSegment[] {
  const found: TimelineSegment[] = [];
  for (const segment of segments) {
    const last = found.at(-1);
    const alike =
      last !== undefined &&
      last.to === segment.from &&
      last.state === segment.state &&
      last.mode === segment.mode &&
      last.reason === segment.reason;
    if (alike) {
      found[found.length - 1] = { ...last, to: segment.to };
    } else {
      found.push(segment);
    }
  }
  return found;
}

/** Returns the milliseconds in each state that occurs, in display order. */
export function timeInStates(drawn: readonly Stretch[]): [State, number][] {
  const sums = new Map<State, number>();
  for (const { state, fromMs, toMs } of drawn) {
    sums.set(state, (sums.get(state) ?? 0) + toMs - fromMs);
  }
  return STATES.flatMap((state): [State, number][] => {
    const ms = sums.get(state);
    return ms === undefined ? [] : [[state, ms]];
  });
}

export interface Pieces {
  fromMs: number;
  good: number;
  scrap: number;
  rework: number;
}

/** Returns the pieces in each slot of a window, empty slots included. */
export function piecesBySlot(counts: readonly TimelineCount[], fromMs: number, toMs: number, slotMs: number): Pieces[] {
  const slots = Array.from({ length: Math.ceil((toMs - fromMs) / slotMs) }, (_, n) => ({
    fromMs: fromMs + n * slotMs,
    good: 0,
    scrap: 0,
    rework: 0,
  }));
  for (const count of counts) {
    const slot = slots[Math.floor((Date.parse(count.at) - fromMs) / slotMs)];
    if (slot !== undefined) {
      slot.good += count.good;
      slot.scrap += count.scrap;
      slot.rework += count.rework;
    }
  }
  return slots;
}
