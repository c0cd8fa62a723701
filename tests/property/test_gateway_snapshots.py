"""The old values that a connection begins with hold from the connection on, and say nothing of the time before."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.times import DAY_US, SECOND_US
from tests.property.shdr_devices import Kind, make_device
from tests.property.shdr_meanings import BEGAN_US, Meaning, Moment, Teller, make_history, make_snapshot, unavailable
from tests.property.shdr_reference import history_of
from tests.property.shdr_rows import assert_rows, translate
from tests.property.shdr_writer import LogWriter, to_bytes

SEEDS = st.integers(0, 2**64 - 1)


@settings(max_examples=250)
@given(SEEDS, st.integers(0, 6))
def test_a_snapshot_holds_from_the_beginning_of_the_log_on(seed: int, length: int) -> None:
    """A log begins with UNAVAILABLE, which the agent writes, and then with old values in any order."""
    rng = Random(seed)
    device = make_device(rng)
    teller = Teller(rng, device)
    snapshot = make_snapshot(rng, device, teller, BEGAN_US)
    live = make_history(rng, device, length, teller)
    lost = Moment(BEGAN_US, tuple(unavailable(item) for item in device.items))
    log = LogWriter(rng, device).write([lost, *snapshot, *live])
    rows, _ = translate(device, [to_bytes(rng, log.texts)])
    assert all(sourced.row.at_us >= BEGAN_US for sourced in rows)
    connection = Moment(BEGAN_US, answered((*lost.meanings, *lasting(snapshot)), []))
    assert_rows(device, rows, history_of(device, [connection, *live]))


@settings(max_examples=250)
@given(SEEDS, st.integers(1, 6), st.integers(0, 6))
def test_a_snapshot_within_a_log_holds_from_the_connection_on(seed: int, length: int, length_after: int) -> None:
    """An agent loses the adapter, and gets its present values when it is there again.

    They are older than the log, so that they may also be what held when it began: no row says so before something else
    was heard. Totals are not among them, since one from before the log would contradict those within it. Before the
    loss Execution is known, and repeated: else a loss would look like the values that a log begins with.
    """
    rng = Random(seed)
    device = make_device(rng)
    teller = Teller(rng, device)
    before = make_history(rng, device, length, teller)
    running = (Meaning(device.paths[0].execution, "ACTIVE"),)
    before += [Moment(before[-1].at_us + seconds * SECOND_US, running) for seconds in (10, 20)]
    again_us = before[-1].at_us + 120 * SECOND_US
    snapshot = [
        Moment(moment.at_us - DAY_US, moment.meanings)
        for moment in make_snapshot(rng, device, teller, BEGAN_US)
        if moment.meanings[0].item.kind is not Kind.COUNTER
    ]
    lost = Moment(again_us, tuple(unavailable(item) for item in device.items))
    after = make_history(rng, device, length_after, teller, again_us)
    log = LogWriter(rng, device).write([*before, lost, *snapshot, *after])
    rows, _ = translate(device, [to_bytes(rng, log.texts)])
    assert all(sourced.row.at_us >= BEGAN_US for sourced in rows)
    old = [Moment(moment.at_us, tuple(lasting([moment]))) for moment in sorted(snapshot, key=lambda old: old.at_us)]
    connection = Moment(again_us, answered((*lost.meanings, *lasting(snapshot)), before))
    history = history_of(device, [*old, *before, connection, *after])
    for moment in old:
        history.statuses.pop(moment.at_us, None)
    assert_rows(device, rows, history)


def lasting(moments: Sequence[Moment]) -> list[Meaning]:
    """Return what holds until something else is reported: no numbers and no pieces of an old instant."""
    meanings = [meaning for moment in moments for meaning in moment.meanings]
    return [meaning for meaning in meanings if meaning.item.kind not in (Kind.NUMBER, Kind.EACH)]


def answered(meanings: Sequence[Meaning], before: Sequence[Moment]) -> tuple[Meaning, ...]:
    """Return what a connection begins with: an Availability that nobody ever reports is not UNAVAILABLE.

    Once an Execution is there, the agent's own UNAVAILABLE does not count.
    """
    everything = [*meanings, *(meaning for moment in before for meaning in moment.meanings)]
    reported = {meaning.item.id for meaning in everything if is_available(meaning)}
    if not any(is_available(meaning) and meaning.item.kind is Kind.EXECUTION for meaning in meanings):
        return tuple(meanings)
    return tuple(
        Meaning(meaning.item, "AVAILABLE")
        if meaning.item.kind is Kind.AVAILABILITY and meaning.item.id not in reported
        else meaning
        for meaning in meanings
    )


def is_available(meaning: Meaning) -> bool:
    return not meaning.item.constant and meaning.value not in (None, "UNAVAILABLE")
