/** Formats numbers in Korean and English. Pure. */

import type { ValueUnit } from "../api/openapi.ts";
import type { Language } from "../words/language.ts";

const DURATION = {
  en: { h: " h", min: " min", s: " s" },
  ko: { h: "시간", min: "분", s: "초" },
} as const;

/** Formats a number with grouped digits and at most `decimals` decimals. */
export function grouped(value: number, decimals = 0): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: decimals });
}

/** Formats a ratio as a percentage with one decimal: `83.3%`. */
export function percent(ratio: number): string {
  return ratio.toLocaleString("en-US", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Formats seconds as a duration: `2 h 15 min`, `2시간 15분`; with seconds if below an hour. Rounded to the last unit shown. */
export function duration(seconds: number, lang: Language): string {
  const unit = DURATION[lang];
  const parts: string[] = [];
  if (Math.round(seconds) < 3600) {
    const whole = Math.round(seconds);
    const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
    if (minutes > 0) {
      parts.push(`${minutes}${unit.min}`);
    }
    if (rest > 0 || minutes === 0) {
      parts.push(`${rest}${unit.s}`);
    }
    return parts.join(" ");
  }
  const whole = Math.round(seconds / 60);
  const [hours, minutes] = [Math.floor(whole / 60), whole % 60];
  parts.push(`${grouped(hours)}${unit.h}`);
  if (minutes > 0) {
    parts.push(`${minutes}${unit.min}`);
  }
  return parts.join(" ");
}

/** Formats seconds that may be negative as a duration; below a minute with up to two decimals: `−0.25 s`. */
export function signedDuration(seconds: number, lang: Language): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 && size >= 0.005 ? "−" : "";
  return sign + (size < 60 ? `${grouped(size, 2)}${DURATION[lang].s}` : duration(size, lang));
}

/** Formats a KPI's value. */
export function valueText(value: number, unit: ValueUnit, lang: Language): string {
  switch (unit) {
    case "h":
      return duration(value * 3600, lang);
    case "1/h":
      return lang === "ko" ? `${grouped(value, 1)}개/h` : `${grouped(value, 1)} /h`;
    case "1":
      return percent(value);
  }
}

/** Formats a KPI's value for an axis, as short as possible. */
export function axisText(value: number, unit: ValueUnit, lang: Language): string {
  switch (unit) {
    case "h":
      return duration(value * 3600, lang);
    case "1/h":
      return grouped(value, 2);
    case "1":
      return `${grouped(value * 100, 2)}%`;
  }
}

const UNITS: Record<string, { en: string; ko: string }> = {
  pieces: { en: "pieces", ko: "개" },
  machines: { en: "machines", ko: "대" },
  enterprises: { en: "enterprises", ko: "개사" },
  failures: { en: "failures", ko: "건" },
  factories: { en: "factories", ko: "개소" },
  zones: { en: "zones", ko: "개 단지" },
  regions: { en: "regions", ko: "개 지역" },
  sponsors: { en: "sponsors", ko: "개 기업" },
  firms: { en: "firms", ko: "개 기업" },
  s2: { en: "s²", ko: "초²" },
};

function singular(word: string): string {
  return word.replace(/ies$/, "y").replace(/s$/, "");
}

/** Formats a numerator or denominator with its unit; seconds as a duration. */
export function sumText(value: number, unit: string, lang: Language): string {
  if (unit === "s") {
    return duration(value, lang);
  }
  if (unit === "h") {
    return duration(value * 3600, lang);
  }
  const word = UNITS[unit]?.[lang] ?? unit;
  const number = grouped(value, 6);
  if (lang === "ko") {
    return `${number}${word}`;
  }
  return `${number} ${value === 1 ? singular(word) : word}`;
}
