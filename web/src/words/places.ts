/** Regions (ISO 3166-2:KR) with their tiles, and sectors (KSIC, section C, divisions), in both languages. */

import type { Region as RegionCode } from "../api/openapi.ts";
import type { Language } from "./language.ts";

export interface Region {
  code: RegionCode;
  ko: string;
  en: string;
  column: number;
  row: number;
}

const TILES: Record<RegionCode, [ko: string, en: string, column: number, row: number]> = {
  "KR-28": ["인천", "Incheon", 0, 0],
  "KR-11": ["서울", "Seoul", 1, 0],
  "KR-41": ["경기", "Gyeonggi", 2, 0],
  "KR-42": ["강원", "Gangwon", 3, 0],
  "KR-44": ["충남", "Chungnam", 0, 1],
  "KR-50": ["세종", "Sejong", 1, 1],
  "KR-43": ["충북", "Chungbuk", 2, 1],
  "KR-47": ["경북", "Gyeongbuk", 3, 1],
  "KR-45": ["전북", "Jeonbuk", 0, 2],
  "KR-30": ["대전", "Daejeon", 1, 2],
  "KR-27": ["대구", "Daegu", 2, 2],
  "KR-31": ["울산", "Ulsan", 3, 2],
  "KR-46": ["전남", "Jeonnam", 0, 3],
  "KR-29": ["광주", "Gwangju", 1, 3],
  "KR-48": ["경남", "Gyeongnam", 2, 3],
  "KR-26": ["부산", "Busan", 3, 3],
  "KR-49": ["제주", "Jeju", 0, 4],
};

export const REGIONS: readonly Region[] = Object.entries(TILES).map(([code, [ko, en, column, row]]) => ({
  code: code as RegionCode,
  ko,
  en,
  column,
  row,
}));

const SECTOR_NAMES: Record<string, [ko: string, en: string]> = {
  C10: ["식료품", "Food"],
  C11: ["음료", "Beverages"],
  C12: ["담배", "Tobacco"],
  C13: ["섬유제품", "Textiles"],
  C14: ["의복·모피", "Clothing and fur"],
  C15: ["가죽·가방·신발", "Leather and footwear"],
  C16: ["목재·나무제품", "Wood products"],
  C17: ["펄프·종이", "Pulp and paper"],
  C18: ["인쇄·기록매체", "Printing"],
  C19: ["코크스·석유정제", "Coke and petroleum"],
  C20: ["화학", "Chemicals"],
  C21: ["의약품", "Pharmaceuticals"],
  C22: ["고무·플라스틱", "Rubber and plastics"],
  C23: ["비금속 광물", "Non-metallic minerals"],
  C24: ["1차 금속", "Basic metals"],
  C25: ["금속가공", "Fabricated metal"],
  C26: ["전자부품·컴퓨터·통신", "Electronics"],
  C27: ["의료·정밀·광학", "Medical, precision, optical"],
  C28: ["전기장비", "Electrical equipment"],
  C29: ["기타 기계·장비", "Machinery"],
  C30: ["자동차·트레일러", "Motor vehicles"],
  C31: ["기타 운송장비", "Other transport"],
  C32: ["가구", "Furniture"],
  C33: ["기타 제품", "Other products"],
  C34: ["산업용 기계 수리", "Machine repair"],
};

export const SECTORS = Object.keys(SECTOR_NAMES);

/** Returns a region's name, or its code if it is unknown. */
export function regionName(code: string, lang: Language): string {
  return REGIONS.find((region) => region.code === code)?.[lang] ?? code;
}

/** Returns a sector's name, or its code if it is unknown. */
export function sectorName(code: string, lang: Language): string {
  return SECTOR_NAMES[code]?.[lang === "ko" ? 0 : 1] ?? code;
}
