"""The worked examples of docs/kpis.md come out of the real arithmetic, and the document is up to date."""

from pathlib import Path

import pytest

from schemas.figure_definitions import FIGURES
from schemas.kpi_definitions import read_definitions
from schemas.kpi_examples import Example, read_examples
from services.analytics import compute_kpis
from services.analytics.kpi_document import COMMAND, TARGET, amount_text, document_text, main
from services.api.kpis.tables import SERVED

DEFINITIONS = read_definitions()
EXAMPLES = read_examples()
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.id))


@each_example
def test_the_arithmetic_gives_what_was_worked_out_by_hand(example: Example) -> None:
    assert example.figures.keys() <= set(SERVED)
    found = compute_kpis(DEFINITIONS, dict.fromkeys(SERVED, 0) | example.figures, example.results)
    for name, result in example.results.items():
        value = found[name].value
        assert (value is None) == (result.value is None), name
        assert value is None or result.value is None or f"{value:.6f}" == f"{float(result.value):.6f}", name
        assert (found[name].reason, found[name].flags) == (result.reason, result.flags), name


def test_every_kpi_has_an_example_with_a_value() -> None:
    shown = {name for example in EXAMPLES for name, result in example.results.items() if result.value is not None}
    assert shown == DEFINITIONS.by_id().keys()
    assert len({example.id for example in EXAMPLES}) == len(EXAMPLES)


def test_the_examples_of_the_specification_are_among_them() -> None:
    by_id = {example.id: example for example in EXAMPLES}
    one = {name: result.value for name, result in by_id["one_machine"].results.items()}
    assert (one["availability"], one["effectiveness"], one["oee"]) == ("0.833333", "1.111111", "0.740741")
    assert (one["utilisation_efficiency"], one["quality_ratio"]) == ("0.833333", "0.8")
    mix = by_id["mix"]
    assert mix.results["oee"].value == "0.090909"
    assert (mix.figures["counted_ideal_good_us"], mix.figures["counted_cycle_busy_us"]) == (10**9, 11 * 10**9)


def test_every_kpi_figure_flag_and_reason_is_in_the_document() -> None:
    text = document_text()
    for kpi in DEFINITIONS.kpis:
        assert f"\n### {kpi.title.en}\n\n`{kpi.id}`, {kpi.title.ko}." in text
        assert kpi.definition in text
        assert kpi.definition_ko in text
    for figure in FIGURES:
        assert f"| `{figure.id}` | {figure.title.en} | {figure.title.ko} |" in text
    for code, meaning in {**DEFINITIONS.meanings.flags, **DEFINITIONS.meanings.reasons}.items():
        assert f"| `{code}` | {meaning.title.en} | {meaning.title.ko} | {meaning.meaning.en} |" in text


def test_amounts_are_exact_to_six_decimals() -> None:
    assert amount_text(10_800_000_000, 10**6) == "10,800"
    assert amount_text(1, 10**6) == "0.000001"
    assert amount_text(1000, 1) == "1,000"


def test_the_document_is_written_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    target = tmp_path / TARGET.name
    assert main(["--check"], target) == 1
    assert f"run `{COMMAND}`" in capsys.readouterr().err
    assert main([], target) == 0
    assert main(["--check"], target) == 0
    assert target.read_text() == TARGET.read_text()
