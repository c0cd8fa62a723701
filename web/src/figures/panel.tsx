/** How a figure was made: definition, sums, what stands behind it, coverage, flags. A dialog, closed by Escape. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../state/context.ts";
import { grouped, percent, sumText, valueText } from "../state/numbers.ts";
import { dayAndTimeOf } from "../state/seoul.ts";
import { definitionText, noteText, sumWords } from "../words/kpis.ts";
import { type FigureData, MARKS } from "./data.ts";
import { useFigureText } from "./figure.tsx";

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** One of the two sums: in units, exactly, and in words. */
function Sum({ value, unit, of }: { value: number; unit: string; of: string }) {
  const { words, view } = useApp();
  return (
    <>
      <strong class="number">{sumText(value, unit, view.lang)}</strong>
      {unit === "s" && value >= 60 && <span class="quiet"> ({words.figure.exactSeconds(grouped(value, 6))})</span>}
      <span class="quiet block">{of}</span>
    </>
  );
}

/** The rows of a figure. */
function Made({ figure }: { figure: FigureData }) {
  const { words, view, figures } = useApp();
  const { definition, answer, coverage } = figure;
  const { range, value_unit: unit } = definition;
  const said = words.figure;
  const note = noteText(definition, view.lang);
  return (
    <dl class="made">
      {answer.value === null && (
        <Row name={said.reason}>{words.reasons[answer.reason ?? ""] ?? answer.reason ?? said.none}</Row>
      )}
      <Row name={said.definition}>
        <span class="formula">{definitionText(definition, view.lang)}</span>
        {range.high !== null && (
          <span class="quiet block">
            {said.usual(valueText(range.low, unit, view.lang), valueText(range.high, unit, view.lang))}
          </span>
        )}
      </Row>
      <Row name={said.numerator}>
        <Sum
          value={answer.numerator}
          unit={definition.unit}
          of={sumWords(figures, definition.numerator, definition.numerator_times, view.lang)}
        />
      </Row>
      <Row name={said.denominator}>
        <Sum
          value={answer.denominator}
          unit={definition.denominator_unit}
          of={sumWords(figures, definition.denominator, definition.denominator_times, view.lang)}
        />
      </Row>
      <Row name={said.behind}>{said.factoriesAndMachines(grouped(figure.factories), grouped(figure.machines))}</Row>
      <Row name={said.coverage}>{coverage === null ? said.none : said.coverageOf(percent(coverage))}</Row>
      <Row name={said.flags}>
        {answer.flags.length === 0
          ? said.noFlags
          : answer.flags.map((flag) => (
              <span class="block" key={flag}>
                {MARKS[flag]} {words.flags[flag] ?? flag}
              </span>
            ))}
      </Row>
      <Row name={said.window}>
        {said.windowText(dayAndTimeOf(Date.parse(figure.from)), dayAndTimeOf(Date.parse(figure.to)))}
        {figure.partial && (
          <span class="block">
            {MARKS["partial"]} {said.partial}
          </span>
        )}
      </Row>
      <Row name={said.source}>{definition.source}</Row>
      {note !== null && <Row name={said.note}>{note}</Row>}
    </dl>
  );
}

/** The dialog; it gives the focus back where it came from. */
export function FigurePanel({ figure, onClose }: { figure: FigureData; onClose: () => void }) {
  const { words, view } = useApp();
  const text = useFigureText();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it, and so does Escape.
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="figure-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="sheet-body">
        <header>
          <button type="button" class="button close" onClick={() => dialog.current?.close()}>
            {words.figure.close}
          </button>
          <p class="quiet">{figure.of}</p>
          <h2 id="figure-title">{figure.definition.title[view.lang]}</h2>
          <p class={`sheet-value ${figure.answer.value === null ? "missing" : ""}`}>
            {figure.answer.value === null ? words.figure.none : text(figure)}
          </p>
        </header>
        <Made figure={figure} />
      </div>
    </dialog>
  );
}
