"""The rules of plausibility over a simulated fleet: every ghost is found, and hardly any honest factory flagged."""

import datetime as dt

import pytest

from schemas.plausibility_rules import PLAUSIBILITY, RULES, RuleId
from services.simulator.fleet import make_fleet
from services.simulator.ghosts import make_ghosts
from tests.plausible import FIRST_DAY, SEED, Judged, judge_fleet

FACTORIES = 40
MOST_SHARE = 0.01


@pytest.fixture(scope="module")
def judged() -> Judged:
    """A month of forty honest factories, and of a ghost for each rule, of two machines each."""
    fleet = (*make_fleet(SEED, FACTORIES, 2), *make_ghosts(SEED, FACTORIES, 2))
    return judge_fleet(fleet, FIRST_DAY, dt.date(2026, 4, 1))


@pytest.mark.parametrize("rule", list(RuleId))
def test_the_planted_ghost_is_found(judged: Judged, rule: RuleId) -> None:
    found = {judged.fleet[flag.factory].ghost for flag in judged.of_rule(rule)}
    assert rule in found


@pytest.mark.parametrize("rule", list(RuleId))
def test_a_rule_flags_at_most_one_percent_of_honest_factory_months(judged: Judged, rule: RuleId) -> None:
    flagged = judged.flagged_months(rule)
    print(f"{rule}: {len(flagged)} of {FACTORIES} honest factory-months")
    assert len(flagged) <= MOST_SHARE * FACTORIES


def test_ghosts_change_nothing_of_honest_factories() -> None:
    assert make_fleet(SEED, FACTORIES) == make_fleet(SEED, FACTORIES + len(RuleId))[:FACTORIES]
    ghosts = make_ghosts(SEED, FACTORIES, 1)
    assert [ghost.ghost for ghost in ghosts] == list(RuleId)
    assert [ghost.factory_id for ghost in ghosts] == [f"F{FACTORIES + n:06d}" for n in range(1, 8)]
    assert all(len(ghost.machines) == 2 for ghost in ghosts)


def test_rules_are_data_with_a_version_and_meanings_in_two_languages() -> None:
    assert PLAUSIBILITY.version == 1
    assert set(RULES) == set(RuleId)
    assert [rule.id for rule in PLAUSIBILITY.rules if rule.kind == "sham"] == [
        "replayed_day",
        "identical_series",
        "never_varies",
        "pieces_without_production",
    ]
    assert all(rule.meaning.en and rule.meaning.ko for rule in PLAUSIBILITY.rules)
