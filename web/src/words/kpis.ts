/** KPIs in the dashboard's words: their names, their groups, and the figures that they add up. */

import type { Definition } from "../api/types.ts";
import type { Language } from "../state/view.ts";

export const GROUPS = ["utilisation", "automation", "trust"] as const;
export type Group = (typeof GROUPS)[number];

/** Korean names are the trade's (TPM's where TPM and ISO name the same thing differently). */
const KOREAN: Record<string, string> = {
  availability: "시간가동률",
  effectiveness: "성능가동률",
  quality_ratio: "양품률",
  oee: "설비종합효율",
  nee: "순설비효율",
  utilisation_efficiency: "이용 효율",
  allocation_efficiency: "할당 효율",
  technical_efficiency: "기술 효율",
  setup_ratio: "준비교체 비율",
  throughput_per_h: "시간당 생산량",
  capacity_utilisation: "가동률 (생산능력 대비)",
  mtbf_h: "평균고장간격",
  mttr_h: "평균수리시간",
  automated_equipment_share: "자동화 설비 비율",
  smart_factory_share: "스마트공장 보급률",
  auto_collected_share: "자동 수집 설비 비율",
  automatic_production_share: "자동운전 생산 비율",
  coverage: "데이터 수집률",
  verified_live: "실가동 확인 비율",
};

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
  counted_cycle_busy_us: ["planned busy time, on counted days", "계획 가동시간 (집계일)"],
};

/** A KPI's name. */
export function kpiTitle(definition: Definition | undefined, id: string, lang: Language): string {
  if (lang === "ko") {
    return KOREAN[id] ?? definition?.title.ko ?? id;
  }
  return definition?.title.en ?? id.replaceAll("_", " ");
}

/** Which group of the chooser a KPI belongs to. */
export function groupOf(id: string): Group {
  if (id === "coverage" || id === "verified_live" || id === "data_quality") {
    return "trust";
  }
  return id.endsWith("_share") ? "automation" : "utilisation";
}

/** The figures of a sum, in words: `producing + set-up`. */
export function sumWords(figures: readonly string[], lang: Language): string {
  const at = lang === "ko" ? 1 : 0;
  return figures.map((figure) => FIGURES[figure]?.[at] ?? figure.replaceAll("_", " ")).join(" + ");
}
