"""Which questions are about groups whose sums are kept, and which groups these are. Pure.

A group is all that has one value of a kind, in the nation or within one region. What else a question may intersect is a
sum over cohorts, and only whole days are kept.
"""

from dataclasses import dataclass

from services.api.kpis.questions import GroupBy, Question

NATION = "nation"
EVERYWHERE = ""
"""The region of groups that are not taken within one, and the value of the nation."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that a question is about, by their keys in ``group_day`` and ``group_step``.

    Attributes:
        within: the region; None for every region, each of which is an item of its own.
        value: None for every value, each of which is an item of its own.
    """

    kind: str
    within: str | None
    value: str | None


def groups_of(question: Question) -> Groups | None:
    """Return the groups whose kept sums answer a question; None if these cannot."""
    scope = question.scope
    if question.by_machine or question.by_factory or scope.is_empty or not question.in_whole_days:
        return None
    values = dict(scope.cohorts)
    asked = set(values) if question.group_by is None else {*values, question.group_by}
    kinds = asked - {GroupBy.REGION}
    if len(kinds) > 1:
        return None
    if not asked:
        return Groups(NATION, EVERYWHERE, EVERYWHERE)
    region = values.get(GroupBy.REGION)
    if not kinds:
        return Groups(GroupBy.REGION, EVERYWHERE, region)
    kind = kinds.pop()
    return Groups(kind, region if GroupBy.REGION in asked else EVERYWHERE, values.get(kind))
