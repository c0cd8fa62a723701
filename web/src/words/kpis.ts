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

/** What the API says in English, in Korean; formulas of symbols alone need none. */
const DEFINED_KO: Record<string, string> = {
  quality_ratio: "양품 / PQ; PQ = 양품 + 불량 + 재작업",
  effectiveness: "이상 사이클 × PQ의 합 / APT (이상 사이클이 유효한 집계일)",
  oee: "이상 사이클 × 양품의 합 / PBT (이상 사이클이 유효한 집계일)",
  nee: "(AUPT / APT) × 설비종합효율, 같은 합계에서: (AUPT × 이상 사이클 × 양품의 합) / (APT × PBT)",
  throughput_per_h: "PQ / PBT(시간), 집계일 기준",
  mtbf_h: "APT(시간) / 고장 건수",
  mttr_h: "고장 시간 / 고장 건수",
  automated_equipment_share: "자동·로봇으로 등록된 설비 / 사용 중인 모든 등록 설비 (기간의 마지막 순간)",
  auto_collected_share: "기간 중 데이터나 서명된 수량이 수신된 설비 / 사용 중인 모든 등록 설비 (기간의 마지막 순간)",
  automatic_production_share: "자동운전 생산 시간 / 운전 모드를 아는 생산 시간",
  coverage: "근무 시간 중 수신 시간 / 근무 시간 중 사용 시간",
};
const NOTED_KO: Record<string, string> = {
  quality_ratio: "수량이 없으면 값도 없습니다. 1로 보지 않습니다.",
  effectiveness: "1.2를 넘으면 이상 사이클을 의심합니다.",
  oee: "설비 하나, 사이클 하나이면 시간가동률 × 성능가동률 × 양품률과 같고, 여럿이면 같지 않으며 이 값이 맞습니다.",
  nee: "준비는 손실로 보지 않습니다. 생산이 없으면 값도 없습니다.",
  mtbf_h: "고장은 직전 상태를 알고 그것이 고장이 아닌 고장 기록입니다. ISO 22400-2는 고장을 한 건 더 셉니다.",
  mttr_h: "고장은 직전 상태를 알고 그것이 고장이 아닌 고장 기록입니다. ISO 22400-2는 고장을 한 건 더 셉니다.",
  automated_equipment_share: "시점의 값이며 기간에 걸쳐 더하지 않습니다.",
  auto_collected_share: "마지막 순간에 사용 중인 설비 가운데 실제로 연결된 설비의 비율입니다.",
  coverage: "등록되었으나 아무것도 보내지 않은 설비도 모두 셉니다.",
};

/** How a KPI is defined. */
export function definitionText({ id, definition }: Definition, lang: Language): string {
  return (lang === "ko" ? DEFINED_KO[id] : undefined) ?? definition;
}

/** What else has to be said of a KPI; null: nothing. */
export function noteText({ id, note }: Definition, lang: Language): string | null {
  return note !== null && lang === "ko" ? (NOTED_KO[id] ?? note) : note;
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
