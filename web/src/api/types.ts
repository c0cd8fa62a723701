/** What the API answers, as its OpenAPI description says. */

export const STATES = [
  "producing",
  "setup",
  "delayed",
  "faulted",
  "idle",
  "planned_stop",
  "off_shift",
  "unknown",
] as const;
export type State = (typeof STATES)[number];
export type Mode = "automatic" | "semi_automatic" | "manual";

export interface KpiAnswer {
  value: number | null;
  numerator: number;
  denominator: number;
  reason: string | null;
  flags: string[];
}

export interface KpiItem {
  scope: string;
  from: string;
  to: string;
  partial: boolean;
  factories: number;
  machines: number;
  time_s: Record<State, number>;
  counts: { good: number; scrap: number; rework: number };
  kpis: Record<string, KpiAnswer>;
  coverage: number | null;
  suppressed: boolean;
}

export interface KpiPage {
  items: KpiItem[];
  accounted_until: string | null;
  next_cursor: string | null;
}

export interface Definition {
  id: string;
  title: { en: string; ko: string };
  definition: string;
  definition_ko: string;
  numerator: string[];
  /** Figures whose sum the numerator is multiplied with; none: with nothing. */
  numerator_times: string[];
  denominator: string[];
  denominator_times: string[];
  unit: string;
  denominator_unit: string;
  range: { low: number; high: number | null };
  source: string;
  note: string | null;
  note_ko: string | null;
}

export interface Definitions {
  definition_version: number;
  kpis: Definition[];
}

export interface Session {
  role: string;
  name: string;
  expires_at: string;
}

export interface Zone {
  zone_id: string;
  name: string;
}

export interface Sponsor {
  sponsor_id: string;
  name: string;
}

export interface Point {
  on: string;
  value: number;
}

/** One figure of the programme: what is counted, and how many there were. */
export interface CountedFigure {
  id: string;
  title: { en: string; ko: string };
  /** What exactly is counted. */
  definition: { en: string; ko: string };
  unit: string;
  baseline: Point | null;
  reached: number;
  /** At the ends of years, and today. */
  history: Point[];
}

export interface Target extends CountedFigure {
  kind: string;
  target: number | null;
  target_on: string | null;
  /** Figures that are shown with it. */
  also: CountedFigure[];
}

export interface Programme {
  as_of: string;
  targets: Target[];
}

export interface Factory {
  factory_id: string;
  name: string;
  enterprise_id: string;
  /** Lists say it; a factory's own entry does not. Size and machines likewise. */
  enterprise_name?: string;
  region: string;
  sector: string;
  level: string;
  zone: string | null;
  sponsor: string | null;
  size?: string | null;
  machines?: number;
}

export interface Machine {
  machine_id: string;
  name: string;
  kind: string;
  automation: string;
}

export interface Segment {
  from: string;
  to: string;
  state: State;
  mode: Mode | null;
  reason: string | null;
}

export interface Count {
  at: string;
  good: number;
  scrap: number;
  rework: number;
  product: string;
}

export interface Timeline {
  machine: string;
  from: string;
  to: string;
  partial: boolean;
  accounted_until: string | null;
  segments: Segment[];
  counts: Count[];
  counts_truncated: boolean;
}
