"""Each of the logs in ``tests/shdr_cases`` gives the states, counts, readings and problems that are right for it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from services.core.errors import ConfigurationError
from tests.shdr_cases import CASES
from tests.shdr_cases.case import Case
from tests.shdr_cases.outcome import translate


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_log(case: Case, tmp_path: Path) -> None:
    if case.refused:
        with pytest.raises(ConfigurationError, match=re.escape(case.refused)):
            translate(case, tmp_path)
        return
    outcome = translate(case, tmp_path)
    if case.states is not None:
        assert outcome.states == case.states, case.why
    assert {time: outcome.reason(time) for time in case.reasons} == case.reasons, case.why
    if case.good is not None:
        assert outcome.good == case.good, case.why
        assert outcome.scrap == (case.scrap or (0,) * len(case.good)), case.why
    if case.readings is not None:
        assert outcome.readings == pytest.approx(case.readings), case.why
    assert outcome.problems == case.problems, case.why


def test_each_case_has_a_name_of_its_own() -> None:
    assert [name for name, number in Counter(case.name for case in CASES).items() if number > 1] == []


def test_each_case_compares_something() -> None:
    silent = (None, None, None, "")
    assert [case.name for case in CASES if (case.states, case.good, case.readings, case.refused) == silent] == []
