"""Whenever a machine is heard, the assertions cover exactly the time for which it is known."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.gateway.mtconnect.machine import UNKNOWN, Status
from services.gateway.translate import Asserter, Assertion

REASSERT = 60

STATUSES = st.sampled_from(
    (
        UNKNOWN,
        Status(State.producing, Mode.automatic, None),
        Status(State.producing, Mode.manual, None),
        Status(State.idle, Mode.unknown, "READY"),
    )
)

GAPS = st.one_of(st.integers(1, 30), st.integers(55, 65), st.integers(590, 610), st.integers(1, 2000))


@st.composite
def moments(draw: st.DrawFn) -> list[Assertion]:
    """Moments heard, in order, each with the status from then on, often unchanged."""
    heard, at, status = [], 0, UNKNOWN
    for gap, change, new in draw(st.lists(st.tuples(GAPS, st.booleans(), STATUSES), max_size=60)):
        at += gap
        status = new if change else status
        heard.append((at, status))
    return heard


def covered(assertions: list[Assertion], ttl: int) -> list[tuple[int, int, Status]]:
    """Return the stretches that assertions cover by the platform's rule, adjacent ones of one status joined."""
    stretches: list[tuple[int, int, Status]] = []
    for (at, status), following in zip(assertions, [*assertions[1:], None], strict=False):
        until = at + ttl if following is None else min(at + ttl, following[0])
        if status.state is State.unknown:
            continue
        if stretches and stretches[-1][1] == at and stretches[-1][2] == status:
            stretches[-1] = (stretches[-1][0], until, status)
        else:
            stretches.append((at, until, status))
    return stretches


def assert_all(heard: list[Assertion]) -> list[Assertion]:
    asserter = Asserter(REASSERT)
    return [a for at, status in heard for a in asserter.hear(at, status)] + asserter.finish()


@given(moments(), st.integers(REASSERT, 700))
def test_the_assertions_cover_exactly_what_was_heard(heard: list[Assertion], ttl: int) -> None:
    assert covered(assert_all(heard), ttl) == covered(heard, ttl)


@given(moments())
def test_every_assertion_is_at_a_moment_heard_and_none_is_repeated(heard: list[Assertion]) -> None:
    assertions = assert_all(heard)
    assert [at for at, _ in assertions] == sorted({at for at, _ in assertions})
    assert set(assertions) <= set(heard)


@given(moments())
def test_assertions_are_sparse(heard: list[Assertion]) -> None:
    """Of three assertions in a row with one status, the first and the last are more than the interval apart."""
    assertions = assert_all(heard)
    for first, second, third in zip(assertions, assertions[1:], assertions[2:], strict=False):
        if first[1] == second[1] == third[1]:
            assert third[0] - first[0] > REASSERT
