/** The sheet of a KPI: definition, sums, factories and machines, coverage, flags. A dialog, closed by Escape. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../state/context.ts";
import { type Kpi, MARKS } from "../state/kpi.ts";
import { grouped, percent, sumText, valueText } from "../state/numbers.ts";
import { dayAndTimeOf } from "../state/seoul.ts";
import { definitionText, flagMeaning, noteText, reasonMeaning, reasonTitle, sumWords } from "../words/definitions.ts";
import { useKpiText } from "./button.tsx";

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Numerator or denominator: rounded, exact, and in words. */
function Sum({ value, unit, of }: { value: number; unit: string; of: string }) {
  const { words, view } = useApp();
  return (
    <>
      <strong class="number">{sumText(value, unit, view.lang)}</strong>
      {unit === "s" && value >= 60 && <span class="quiet"> ({words.kpi.exactSeconds(grouped(value, 6))})</span>}
      <span class="quiet block">{of}</span>
    </>
  );
}

/** The rows of a KPI. */
function Details({ kpi }: { kpi: Kpi }) {
  const { words, view, figures, meanings } = useApp();
  const { definition, answer, coverage } = kpi;
  const { range, value_unit: unit } = definition;
  const labels = words.kpi;
  const note = noteText(definition, view.lang);
  return (
    <dl class="kpi-details">
      {answer.reason !== null && (
        <Row name={labels.reason}>
          {reasonTitle(meanings, answer.reason, view.lang)}
          <span class="quiet block">{reasonMeaning(meanings, answer.reason, view.lang)}</span>
        </Row>
      )}
      <Row name={labels.definition}>
        <span class="formula">{definitionText(definition, view.lang)}</span>
        {range.high !== null && (
          <span class="quiet block">
            {labels.usual(valueText(range.low, unit, view.lang), valueText(range.high, unit, view.lang))}
          </span>
        )}
      </Row>
      <Row name={labels.numerator}>
        <Sum
          value={answer.numerator}
          unit={definition.unit}
          of={sumWords(figures, definition.numerator, definition.numerator_times, view.lang)}
        />
      </Row>
      <Row name={labels.denominator}>
        <Sum
          value={answer.denominator}
          unit={definition.denominator_unit}
          of={sumWords(figures, definition.denominator, definition.denominator_times, view.lang)}
        />
      </Row>
      <Row name={labels.behind}>{labels.factoriesAndMachines(grouped(kpi.factories), grouped(kpi.machines))}</Row>
      <Row name={labels.coverage}>{coverage === null ? labels.none : labels.coverageOf(percent(coverage))}</Row>
      <Row name={labels.flags}>
        {answer.flags.length === 0
          ? labels.noFlags
          : answer.flags.map((flag) => (
              <span class="block" key={flag}>
                {MARKS[flag]} {flagMeaning(meanings, flag, view.lang)}
              </span>
            ))}
      </Row>
      <Row name={labels.window}>
        {labels.windowText(dayAndTimeOf(Date.parse(kpi.from)), dayAndTimeOf(Date.parse(kpi.to)))}
        {kpi.partial && (
          <span class="block">
            {MARKS["partial"]} {labels.partial}
          </span>
        )}
      </Row>
      <Row name={labels.source}>{definition.source}</Row>
      {note !== null && <Row name={labels.note}>{note}</Row>}
    </dl>
  );
}

/** The dialog. On closing, the focus returns to the button that opened it. */
export function KpiSheet({ kpi, onClose }: { kpi: Kpi; onClose: () => void }) {
  const { words, view } = useApp();
  const text = useKpiText();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click outside closes it, and so does Escape.
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="kpi-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="sheet-body">
        <header>
          <button type="button" class="button close" onClick={() => dialog.current?.close()}>
            {words.kpi.close}
          </button>
          <p class="quiet">{kpi.of}</p>
          <h2 id="kpi-title">{kpi.definition.title[view.lang]}</h2>
          <p class={`sheet-value ${kpi.answer.value === null ? "missing" : ""}`}>
            {kpi.answer.value === null ? words.kpi.none : text(kpi)}
          </p>
        </header>
        <Details kpi={kpi} />
      </div>
    </dialog>
  );
}
