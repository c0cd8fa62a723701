/** KPIs in the dashboard's words: their names, their groups, and the figures that they add up. */

import type { Definition } from "../api/types.ts";
import type { Language } from "../state/view.ts";

export const GROUPS = ["utilisation", "automation", "trust"] as const;
export type Group = (typeof GROUPS)[number];

const FIGURES: Record<string, [en: string, ko: string]> = {
  producing_us: ["producing", "생산"],
  setup_us: ["set-up", "준비"],
  delayed_us: ["delayed", "대기"],
  faulted_us: ["faulted", "고장"],
  idle_us: ["idle", "유휴"],
  evidence_us: ["time heard", "수신 시간"],
  in_use_us: ["time in use", "사용 시간"],
  scheduled_us: ["scheduled time", "근무 시간"],
  good: ["good pieces", "양품"],
  scrap: ["scrap", "불량"],
  rework: ["rework", "재작업"],
  producing_automatic_us: ["producing, automatic", "자동운전 생산"],
  producing_semi_automatic_us: ["producing, semi-automatic", "반자동 생산"],
  producing_manual_us: ["producing, manual", "수동 생산"],
  counted_ideal_pq_us: ["ideal cycle × pieces made", "이상 사이클 × 생산 수량"],
  counted_ideal_good_us: ["ideal cycle × good pieces", "이상 사이클 × 양품 수량"],
  counted_cycle_producing_us: ["producing, on counted days", "생산 (집계일)"],
  counted_cycle_setup_us: ["set-up, on counted days", "준비 (집계일)"],
  counted_busy_us: ["planned busy time, on counted days", "계획 가동시간 (집계일)"],
  counted_pieces: ["pieces made, on counted days", "생산 수량 (집계일)"],
  failures: ["failures", "고장 건수"],
  stock_machines: ["machines in use", "사용 중인 설비"],
  stock_automated: ["machines registered as automatic or robot", "자동·로봇으로 등록된 설비"],
  stock_connected: ["machines heard in the window", "기간 중 수신된 설비"],
  counted_cycle_busy_us: ["planned busy time, on counted days", "계획 가동시간 (집계일)"],
};

/** A KPI's name; its id where it is not known. */
export function kpiTitle(definition: Definition | undefined, id: string, lang: Language): string {
  return definition?.title[lang] ?? id.replaceAll("_", " ");
}

/** How a KPI is defined. */
export function definitionText(definition: Definition, lang: Language): string {
  return lang === "ko" ? definition.definition_ko : definition.definition;
}

/** What else has to be said of a KPI; null: nothing. */
export function noteText(definition: Definition, lang: Language): string | null {
  return lang === "ko" ? definition.note_ko : definition.note;
}

/** Which group of the chooser a KPI belongs to. */
export function groupOf(id: string): Group {
  if (id === "coverage" || id === "verified_live" || id === "data_quality") {
    return "trust";
  }
  return id.endsWith("_share") ? "automation" : "utilisation";
}

/** The figures of a sum in words: `producing + set-up`, or `(producing + set-up) × good pieces`. */
export function sumWords(figures: readonly string[], times: readonly string[], lang: Language): string {
  const at = lang === "ko" ? 1 : 0;
  const sum = (terms: readonly string[]) =>
    terms.map((term) => FIGURES[term]?.[at] ?? term.replaceAll("_", " ")).join(" + ");
  if (times.length === 0) {
    return sum(figures);
  }
  return [times, figures].map((terms) => (terms.length > 1 ? `(${sum(terms)})` : sum(terms))).join(" × ");
}
