"""Writes docs/kpis.md from the definitions, the figures and the worked examples.

``python -m services.analytics.kpi_document`` is the command. What an example comes to is computed by the arithmetic
that the API serves with.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import schemas
from schemas.figure_definitions import FIGURES, AddsUp, Figure, FigureUnit
from schemas.kpi_definitions import (
    Better,
    CurrentDefinitions,
    Group,
    KpiDefinition,
    Meaning,
    Unit,
    ValueUnit,
    flags_of,
    read_definitions,
    read_versions,
)
from schemas.kpi_examples import Example, read_examples
from schemas.wire.generated import write_or_check
from services.analytics.kpis import Kpi, compute_kpis

TARGET = Path(schemas.__file__).parents[1] / "docs/kpis.md"
COMMAND = "python -m services.analytics.kpi_document"
BY_ID = {figure.id: figure for figure in FIGURES}

HEAD = """\
# KPIs

Generated from `schemas/kpis.json`, `schemas/figures.json` and `schemas/kpi_examples.json` by
`{command}`; do not edit. This is version {version} of the definitions, the one in force;
`definition_version=` asks for another ([versions](#versions)).

Every KPI is a sum of [figures](#figures) divided by another such sum. Both sums are exact integers, and are served
beside the value; the only rounding is that of one division. The KPI of a group is the sum of its members' numerators
over the sum of their denominators, never a mean of ratios. A KPI without a denominator is null with a reason; a value
above its usual range is served as it is, and flagged.

Elements of time (ISO 22400-2): APT producing, AUST set-up, ADET delayed and faulted, ADOT idle; AUPT = APT + AUST,
AUBT = AUPT + ADET, PBT = AUBT + ADOT. PQ is the quantity made: good, scrap and rework. Planned stops, time off shift
and time without data belong to none of them. A machine-day is *counted* if it has a count row, zeros included, and
evidence.
"""
GROUPS = {Group.UTILISATION: "Utilisation", Group.AUTOMATION: "Automation", Group.TRUST: "Trust"}
UNITS = {
    Unit.seconds: "s",
    Unit.hours: "h",
    Unit.seconds_squared: "s²",
    Unit.pieces: "pieces",
    Unit.failures: "failures",
    Unit.machines: "machines",
    Unit.enterprises: "enterprises",
}
VALUE_UNITS = {ValueUnit.RATIO: "a ratio", ValueUnit.HOURS: "hours", ValueUnit.PER_HOUR: "per hour"}
BASES = {
    "states": "what is received of states",
    "counts": "days with counts",
    "counted": "days with counts and evidence",
    "registry": "the registry",
}
ADDS_UP = {
    AddsUp.ALWAYS: "over time, machines and groups",
    AddsUp.ON_COUNTED_DAYS: "over the hours of counted machine-days",
    AddsUp.OVER_MACHINES_ONLY: "over machines, never over time",
    AddsUp.NEVER: "neither over time nor over groups",
}


def document_text() -> str:
    """Return the document as the committed file contains it."""
    definitions, examples = read_definitions(), read_examples()
    lines = [HEAD.format(command=COMMAND, version=definitions.definition_version)]
    for group, heading in GROUPS.items():
        lines += [f"## {heading}", ""]
        for kpi in definitions.kpis:
            if kpi.group is group:
                lines += kpi_section(definitions, kpi, examples)
    lines += meaning_tables(definitions)
    lines += figure_table()
    lines += ["## Worked examples", "", "A test computes each of them by the arithmetic that the API serves with.", ""]
    for example in examples:
        lines += example_section(definitions, example)
    lines += version_section()
    return "\n".join(lines).rstrip() + "\n"


def kpi_section(definitions: CurrentDefinitions, kpi: KpiDefinition, examples: Sequence[Example]) -> Iterator[str]:
    """Yield the lines about one KPI."""
    yield f"### {kpi.title.en}"
    yield ""
    yield f"`{kpi.id}`, {kpi.title.ko}. {'More' if kpi.better is Better.HIGHER else 'Less'} is better."
    yield ""
    yield f"- Formula: {kpi.definition}"
    if kpi.definition_ko != kpi.definition:
        yield f"- 산식: {kpi.definition_ko}"
    yield f"- Numerator, in {UNITS[kpi.unit]}: {sum_words(kpi.numerator, kpi.numerator_times)}"
    yield f"- Denominator, in {UNITS[kpi.denominator_unit]}: {sum_words(kpi.denominator, kpi.denominator_times)}"
    yield f"- Value: {VALUE_UNITS[kpi.value_unit]}, usually {range_words(kpi)}"
    yield f"- Source: {kpi.source}"
    basis = definitions.bases[kpi.basis]
    share = f"`{basis.covered}` / `{basis.whole}`"
    yield f"- Based on {BASES[kpi.basis]}: `low_coverage` where {share} is below {definitions.low_coverage_below}"
    if kpi.note is not None:
        yield f"- {kpi.note}"
        yield f"- {kpi.note_ko}"
    yield from rule_lines(definitions, kpi)
    for example in examples:
        if kpi.id in example.results:
            found = computed(definitions, example)[kpi.id]
            yield f"- Example, [{example.title.en}](#{anchor(example.title.en)}): {result_words(kpi, found)}"
    yield ""


def rule_lines(definitions: CurrentDefinitions, kpi: KpiDefinition) -> Iterator[str]:
    """Yield why a KPI may have no value, and which flags of its own it may have."""
    for rule in kpi.reasons:
        what = "the denominator" if rule.if_zero == "denominator" else f"`{rule.if_zero}`"
        yield f"- Null, `{rule.reason}`, if {what} is 0: {in_both(definitions.meanings.reasons[rule.reason])}"
    for threshold in kpi.flags:
        meaning = in_both(definitions.meanings.flags[threshold.flag])
        yield f"- Flag `{threshold.flag}`, above {threshold.above}: {meaning}"
    for shortfall in kpi.shortfalls:
        meaning = in_both(definitions.meanings.flags[shortfall.flag])
        yield f"- Flag `{shortfall.flag}`, more than {shortfall.by} below `{shortfall.below}`: {meaning}"


def sum_words(names: Sequence[str], times: Sequence[str]) -> str:
    """Return a sum of figures by their names, times another sum if one is given."""
    own, other = (" + ".join(f"`{name}`" for name in some) for some in (names, times))
    if not times:
        return own
    return " × ".join(f"({text})" if len(some) > 1 else text for some, text in ((times, other), (names, own)))


def range_words(kpi: KpiDefinition) -> str:
    """Return a usual range in words."""
    low, high = kpi.range.low, kpi.range.high
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}, flagged `above_range` above it"


def in_both(meaning: Meaning) -> str:
    """Return a meaning in English and Korean."""
    return f"{meaning.meaning.en} {meaning.meaning.ko}"


def computed(definitions: CurrentDefinitions, example: Example) -> Mapping[str, Kpi]:
    """Return the KPIs of an example, by the arithmetic."""
    return compute_kpis(definitions, dict.fromkeys(BY_ID, 0) | example.figures, example.results)


def result_words(kpi: KpiDefinition, found: Kpi) -> str:
    """Return how an example comes to its value."""
    flags = "".join(f", `{flag}`" for flag in found.flags)
    if found.value is None:
        return f"null, `{found.reason}`{flags}"
    sums = [
        f"{amount_text(amount, unit.scale)} {UNITS[unit]}"
        for amount, unit in ((found.numerator, kpi.unit), (found.denominator, kpi.denominator_unit))
    ]
    return f"{sums[0]} / {sums[1]} = {value_text(found.value)}{flags}"


def amount_text(amount: int, scale: int) -> str:
    """Return a sum in a unit, with at most six decimals."""
    return f"{(Decimal(amount) / scale).quantize(Decimal('1.000000')).normalize():,f}"


def value_text(value: float) -> str:
    """Return a value with at most six decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def meaning_tables(definitions: CurrentDefinitions) -> Iterator[str]:
    """Yield what all flags and reasons mean, and which KPIs may have them."""
    flags = {code: [kpi.id for kpi in definitions.kpis if code in flags_of(kpi)] for code in definitions.meanings.flags}
    reasons = {
        code: [kpi.id for kpi in definitions.kpis if code in {rule.reason for rule in kpi.reasons}]
        for code in definitions.meanings.reasons
    }
    for heading, meanings, users in (
        ("Flags", definitions.meanings.flags, flags),
        ("Reasons for the lack of a value", definitions.meanings.reasons, reasons),
    ):
        yield from (f"## {heading}", "", "| code | name | 이름 | meaning | 의미 | KPIs |", "| --- " * 6 + "|")
        for code, meaning in meanings.items():
            of = "all" if len(users[code]) == len(definitions.kpis) else ", ".join(f"`{name}`" for name in users[code])
            cells = (f"`{code}`", meaning.title.en, meaning.title.ko, meaning.meaning.en, meaning.meaning.ko, of or "-")
            yield f"| {' | '.join(cells)} |"
        yield ""


def figure_table() -> Iterator[str]:
    """Yield all figures."""
    yield from ("## Figures", "", "| figure | name | 이름 | meaning | 의미 | unit | adds up |", "| --- " * 7 + "|")
    for figure in FIGURES:
        words = (figure.title.en, figure.title.ko, figure.meaning.en, figure.meaning.ko)
        unit = figure.unit.value.replace("_", "-")
        yield f"| `{figure.id}` | {' | '.join(words)} | {unit} | {ADDS_UP[figure.adds_up]} |"
    yield ""


def example_section(definitions: CurrentDefinitions, example: Example) -> Iterator[str]:
    """Yield the lines about one example: what is given, and what follows."""
    known, found = definitions.by_id(), computed(definitions, example)
    yield from (f"### {example.title.en}", "", f"{example.title.ko}. {example.given.en}", "", example.given.ko, "")
    yield "Figures: " + ", ".join(figure_words(BY_ID[name], amount) for name, amount in example.figures.items()) + "."
    yield ""
    yield from ("| KPI | numerator / denominator = value |", "| --- | --- |")
    for name in example.results:
        yield f"| `{name}` | {result_words(known[name], found[name])} |"
    yield ""


def figure_words(figure: Figure, amount: int) -> str:
    """Return a figure's amount; time in seconds."""
    if figure.unit is FigureUnit.MICROSECONDS:
        return f"`{figure.id}` {amount_text(amount, 10**6)} s"
    return f"`{figure.id}` {amount:,}"


def version_section() -> Iterator[str]:
    """Yield which KPIs came or changed with each version."""
    yield from ("## Versions", "")
    yield "A version changes formulas, never the figures that these are computed from: an older version, too, answers"
    yield "from what is known today. Each is a file beside `schemas/kpis.json`"
    yield "([why](decisions/0029-definition-versions.md))."
    yield ""
    before: Mapping[str, KpiDefinition] = {}
    for number, version in read_versions().items():
        known = version.by_id()
        came = [f"`{name}`" for name in known if name not in before]
        changed = [f"`{name}`" for name, kpi in known.items() if name in before and rules(kpi) != rules(before[name])]
        parts = [f"new: {', '.join(came)}"] if came else []
        parts += [f"changed: {', '.join(changed)}"] if changed else []
        yield f"- {number}: {'; '.join(parts) or 'no KPI of its own'}."
        before = known


def rules(kpi: KpiDefinition) -> tuple[object, ...]:
    """Return what decides a KPI's value, reason and flags."""
    sums = (kpi.numerator, kpi.numerator_times, kpi.denominator, kpi.denominator_times)
    return (*sums, kpi.unit, kpi.denominator_unit, kpi.range, kpi.basis, kpi.reasons, kpi.flags, kpi.shortfalls)


def anchor(heading: str) -> str:
    """Return the anchor that a heading has on GitHub."""
    return "".join(c for c in heading.lower() if c.isalnum() or c in "_ -").replace(" ", "-")


def main(arguments: list[str], target: Path = TARGET) -> int:
    """Write the document, or compare the file with it. Return the exit status."""
    return write_or_check(arguments, target, document_text(), COMMAND, "the document about KPIs")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
