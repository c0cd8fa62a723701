"""How a PUT changes the versions of a thing, compared with a plain model: a value for every instant."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.api.registry.versions import Version, apply, revise, version_at
from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US

SPAN = 20
Content = dict[str, int]
NOW = FIRST_INSTANT_US + 10
puts = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, SPAN - 1))), min_size=1, max_size=8)


def put(versions: list[Version[Content]], value: int, effective_from: int | None) -> list[Version[Content]]:
    at = None if effective_from is None else FIRST_INSTANT_US + effective_from
    return apply(versions, revise(versions, {"value": value}, at, NOW))


def value_at(versions: list[Version[Content]], us: int) -> Content | None:
    return next((v.content for v in versions if v.from_us <= us < v.to_us), None)


@given(puts)
def test_a_put_changes_everything_until_the_next_version_and_nothing_else(sent: list[tuple[int, int | None]]) -> None:
    versions: list[Version[Content]] = []
    for value, effective_from in sent:
        before = versions
        versions = put(before, value, effective_from)
        current = version_at(before, NOW)
        start = (
            FIRST_INSTANT_US + effective_from
            if effective_from is not None
            else FIRST_INSTANT_US
            if current is None
            else current.from_us
        )
        later = [v.from_us for v in before if v.from_us > start]
        end = min(later, default=LAST_INSTANT_US)
        for us in range(FIRST_INSTANT_US, FIRST_INSTANT_US + SPAN):
            expected = {"value": value} if start <= us < end else value_at(before, us)
            assert value_at(versions, us) == expected
        assert all(a.to_us <= b.from_us for a, b in pairwise(versions))


def test_a_first_version_without_an_instant_is_always_in_force() -> None:
    (version,) = put([], 1, None)
    assert (version.from_us, version.to_us) == (FIRST_INSTANT_US, LAST_INSTANT_US)


def test_the_same_content_changes_nothing() -> None:
    versions = put([], 1, None)
    assert revise(versions, {"value": 1}, FIRST_INSTANT_US + 5, NOW).added == ()
    assert revise(versions, {"value": 1}, None, NOW).retired == ()


def test_the_current_version_is_the_last_begun_or_the_first() -> None:
    versions = put(put([], 1, 5), 2, 15)
    assert version_at(versions, FIRST_INSTANT_US) == versions[0]
    assert version_at(versions, NOW) == versions[0]
    assert version_at(versions, FIRST_INSTANT_US + 15) == versions[1]
    assert version_at([], NOW) is None
