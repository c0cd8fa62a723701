"""Whatever the moments at which a machine is heard: the rows claim exactly what was heard, no more and no less."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.codes import Mode, State
from services.gateway.mtconnect import NOTHING_KNOWN, Status
from services.gateway.translate import Asserter, Assertion

REASSERT = 60

STATUSES = st.sampled_from(
    (
        NOTHING_KNOWN,
        Status(State.producing, Mode.automatic, None),
        Status(State.producing, Mode.manual, None),
        Status(State.idle, Mode.unknown, "READY"),
    )
)

GAPS = st.one_of(st.integers(1, 30), st.integers(55, 65), st.integers(590, 610), st.integers(1, 2000))


@st.composite
def moments(draw: st.DrawFn) -> list[Assertion]:
    """Moments heard, in order, each with the status from then on; often the same as before."""
    heard, at, status = [], 0, NOTHING_KNOWN
    for gap, change, new in draw(st.lists(st.tuples(GAPS, st.booleans(), STATUSES), max_size=60)):
        at += gap
        status = new if change else status
        heard.append((at, status))
    return heard


def claimed(assertions: list[Assertion], ttl: int) -> list[tuple[int, int, Status]]:
    """The stretches that assertions cover under the platform's rule, neighbours of one status joined."""
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
def test_the_rows_claim_exactly_what_was_heard(heard: list[Assertion], ttl: int) -> None:
    assert claimed(assert_all(heard), ttl) == claimed(heard, ttl)


@given(moments())
def test_a_row_is_a_moment_heard_and_none_comes_twice(heard: list[Assertion]) -> None:
    rows = assert_all(heard)
    assert [at for at, _ in rows] == sorted({at for at, _ in rows})
    assert set(rows) <= set(heard)


@given(moments())
def test_rows_are_sparse(heard: list[Assertion]) -> None:
    """Between a row and the one after the next at least the interval passes, unless the status changed."""
    rows = assert_all(heard)
    for first, second, third in zip(rows, rows[1:], rows[2:], strict=False):
        if first[1] == second[1] == third[1]:
            assert third[0] - first[0] > REASSERT
