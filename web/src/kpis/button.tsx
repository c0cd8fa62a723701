/** A KPI on a page: a button with its value and marks, which opens the sheet with its details. */

import { useApp } from "../state/context.ts";
import { type Kpi, MARKS, marksOf } from "../state/kpi.ts";
import { valueText } from "../state/numbers.ts";
import { flagTitle, reasonTitle } from "../words/definitions.ts";

/** Data attributes of a KPI, for programs that read the page. */
export function dataOf(kpi: Kpi) {
  return {
    "data-kpi": kpi.definition.id,
    "data-scope": kpi.scope,
    "data-from": kpi.from,
    "data-to": kpi.to,
    "data-value": kpi.answer.value === null ? "" : String(kpi.answer.value),
    "data-reason": kpi.answer.reason ?? "",
  };
}

/** Returns a function that formats a KPI's value, or the reason why it has none. */
export function useKpiText(): (kpi: Kpi) => string {
  const { words, view, meanings } = useApp();
  return ({ definition, answer }) =>
    answer.value === null
      ? answer.reason === null
        ? words.kpi.none
        : reasonTitle(meanings, answer.reason, view.lang)
      : valueText(answer.value, definition.value_unit, view.lang);
}

/** Returns a function that puts a KPI's marks into words, for screen readers. */
export function useMarkWords(): (kpi: Kpi) => string {
  const { words, view, meanings } = useApp();
  return (kpi) =>
    marksOf(kpi)
      .map((mark) => (mark === "partial" ? words.marks.partial : flagTitle(meanings, mark, view.lang)))
      .join(", ");
}

/** A KPI as a button that opens its sheet. */
export function KpiButton({ kpi, size = "plain" }: { kpi: Kpi | null; size?: "plain" | "big" }) {
  const { openKpi, words, view } = useApp();
  const text = useKpiText();
  const markWords = useMarkWords();
  if (kpi === null) {
    return <span class="kpi-none">–</span>;
  }
  const marks = marksOf(kpi);
  const missing = kpi.answer.value === null;
  return (
    <button
      type="button"
      class={`kpi ${size} ${missing ? "missing" : ""}`}
      title={words.kpi.open(kpi.definition.title[view.lang])}
      onClick={() => openKpi(kpi)}
      {...dataOf(kpi)}
    >
      <span class="value">{text(kpi)}</span>
      {marks.length > 0 && (
        <span class="marks">
          <span aria-hidden="true">{marks.map((mark) => MARKS[mark] ?? "•").join("")}</span>
          <span class={size === "big" ? "mark-words" : "visually-hidden"}>{markWords(kpi)}</span>
        </span>
      )}
    </button>
  );
}
