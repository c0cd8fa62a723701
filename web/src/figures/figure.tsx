/** A figure on a page: its value as text, its marks, and a way to how it was made. */

import { useApp } from "../state/context.ts";
import { valueText } from "../state/numbers.ts";
import { type FigureData, MARKS, marksOf } from "./data.ts";

/** What a figure carries for whoever reads the page by program. */
export function dataOf(figure: FigureData) {
  return {
    "data-kpi": figure.definition.id,
    "data-scope": figure.scope,
    "data-from": figure.from,
    "data-to": figure.to,
    "data-value": figure.answer.value === null ? "" : String(figure.answer.value),
    "data-reason": figure.answer.reason ?? "",
  };
}

/** The value in words: the number, or why there is none. */
export function useFigureText(): (figure: FigureData) => string {
  const { words, view } = useApp();
  return ({ definition, answer }) =>
    answer.value === null
      ? (words.reasons[answer.reason ?? ""] ?? answer.reason ?? words.figure.none)
      : valueText(answer.value, definition.value_unit, view.lang);
}

/** The marks of a figure as words, for those who do not see them. */
export function useMarkWords(): (figure: FigureData) => string {
  const { words } = useApp();
  return (figure) =>
    marksOf(figure)
      .map((mark) => (mark === "partial" ? words.marks.partial : (words.flagShort[mark] ?? mark)))
      .join(", ");
}

/** A figure as a button that opens how it was made. */
export function Figure({ figure, size = "plain" }: { figure: FigureData | null; size?: "plain" | "big" }) {
  const { openFigure, words, view } = useApp();
  const text = useFigureText();
  const markWords = useMarkWords();
  if (figure === null) {
    return <span class="figure-none">–</span>;
  }
  const marks = marksOf(figure);
  const missing = figure.answer.value === null;
  return (
    <button
      type="button"
      class={`figure ${size} ${missing ? "missing" : ""}`}
      title={words.figure.open(figure.definition.title[view.lang])}
      onClick={() => openFigure(figure)}
      {...dataOf(figure)}
    >
      <span class="value">{text(figure)}</span>
      {marks.length > 0 && (
        <span class="marks">
          <span aria-hidden="true">{marks.map((mark) => MARKS[mark] ?? "•").join("")}</span>
          <span class={size === "big" ? "mark-words" : "for-ears"}>{markWords(figure)}</span>
        </span>
      )}
    </button>
  );
}
