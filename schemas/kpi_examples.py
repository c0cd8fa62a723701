"""The worked examples of ``kpi_examples.json``, as typed values: figures by hand, and what each KPI is for them."""

from pathlib import Path

import msgspec

from schemas.figure_definitions import Wording

FILE = Path(__file__).parent / "kpi_examples.json"


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a KPI is: its value rounded to six decimals, as text, or why it has none; and its flags."""

    value: str | None
    reason: str | None
    flags: tuple[str, ...]


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One example.

    Attributes:
        given: what it is about, in words.
        figures: amounts in the figures' own units; those that are not named are 0.
        results: by KPI, of the version in force.
    """

    id: str
    title: Wording
    given: Wording
    figures: dict[str, int]
    results: dict[str, Result]


class ExampleList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All examples, in the order in which they are shown."""

    examples: tuple[Example, ...]


def read_examples() -> tuple[Example, ...]:
    """Return the committed examples.

    Raises:
        msgspec.ValidationError: the file does not have this form.
    """
    return msgspec.json.decode(FILE.read_bytes(), type=ExampleList).examples
