"""The plausibility rules of ``plausibility_rules.json``, as typed values.

A rule says which data look made up (``sham``) or wrong (``suspect``). Whoever changes a threshold raises ``version``.
"""

from enum import StrEnum
from pathlib import Path

import msgspec

from schemas.figure_definitions import Wording

FILE = Path(__file__).parent / "plausibility_rules.json"


class RuleId(StrEnum):
    """The rules; each is a function of ``services/analytics/flags``."""

    replayed_day = "replayed_day"
    identical_series = "identical_series"
    never_varies = "never_varies"
    pieces_without_production = "pieces_without_production"
    beyond_capacity = "beyond_capacity"
    sent_in_bulk = "sent_in_bulk"
    clock_off = "clock_off"


class FlagKind(StrEnum):
    """What a flag means for trust: only ``sham`` keeps a factory from counting as live."""

    sham = "sham"
    suspect = "suspect"


class PlausibilityRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule, and the thresholds by which its function decides."""

    id: RuleId
    kind: FlagKind
    meaning: Wording
    thresholds: dict[str, float]


class PlausibilityRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All rules, and the version that every flag names."""

    version: int
    rules: tuple[PlausibilityRule, ...]


PLAUSIBILITY = msgspec.json.decode(FILE.read_bytes(), type=PlausibilityRules)
RULES = {rule.id: rule for rule in PLAUSIBILITY.rules}
