"""The simulated fleet: reproducible, plausible, registered as the API's contract says."""

import base64
import datetime as dt
from collections import Counter

from nacl.signing import SigningKey

from schemas.wire.codes import Mode, State
from services.core.times import DAY_US, SECOND_US, seoul_midnight_us
from services.gateway.fleet import LEVELS, ShiftPattern, make_fleet, signing_seed
from services.gateway.registration import factory_entries, machine_entries
from services.gateway.rows import CountRow, StateRow
from services.gateway.simulated_rows import factory_rows

MONDAY = dt.date(2024, 3, 4)


def test_a_seed_gives_one_fleet_and_its_beginning_does_not_depend_on_its_size() -> None:
    assert make_fleet(7, 5, 3) == make_fleet(7, 5, 3)
    assert make_fleet(7, 9, 3)[:5] == make_fleet(7, 5, 3)
    assert make_fleet(7, 5, 3) != make_fleet(8, 5, 3)


def test_ids_are_the_documented_ones() -> None:
    fleet = make_fleet(1, 2, 2)
    assert [(f.enterprise_id, f.factory_id) for f in fleet] == [("E0001", "F000001"), ("E0002", "F000002")]
    assert [m.machine_id for m in fleet[0].machines] == ["M01", "M02"]


def test_somebody_works_at_any_hour() -> None:
    assert {f.shifts for f in make_fleet(1, 3, 1)} == set(ShiftPattern)
    assert make_fleet(1, 1, 1)[0].shifts is ShiftPattern.ROUND_THE_CLOCK


def test_a_working_day_looks_like_one() -> None:
    """Bounds wide enough for any seed, tight enough that a day of nothing but faults would not pass."""
    start_us = seoul_midnight_us(MONDAY)
    for factory in make_fleet(3, 6, 3):
        rows = factory_rows(3, factory, start_us, start_us + DAY_US, 0)
        seconds: Counter[State] = Counter()
        for machine in factory.machines:
            states = [row for row in rows if isinstance(row, StateRow) and row.machine_id == machine.machine_id]
            ends = [*(row.at_us for row in states[1:]), start_us + DAY_US]
            for row, end_us in zip(states, ends, strict=True):
                seconds[row.state] += (end_us - row.at_us) // SECOND_US
        scheduled = sum(seconds.values()) - seconds[State.off_shift]
        assert 0.45 < seconds[State.producing] / scheduled < 0.95
        assert seconds[State.faulted] / scheduled < 0.3
        assert seconds[State.setup] > 0
        made = [row for row in rows if isinstance(row, CountRow)]
        scrap = sum(row.scrap for row in made)
        assert made
        assert scrap / len(made) < 0.08


def test_a_sunday_is_off_where_nobody_works() -> None:
    start_us = seoul_midnight_us(dt.date(2024, 3, 10))
    factory = make_fleet(1, 2, 1)[1]
    assert factory.shifts is ShiftPattern.DAY
    rows = factory_rows(1, factory, start_us, start_us + DAY_US, 5 * SECOND_US)
    assert all(isinstance(row, StateRow) and row.state is State.off_shift for row in rows)
    assert all(isinstance(row, StateRow) and row.mode is Mode.unknown for row in rows)


def test_registry_entries_have_the_contracts_bodies() -> None:
    factory = make_fleet(5, 1, 2)[0]
    entries = dict(factory_entries(5, factory))
    assert list(entries) == [
        "/v1/enterprises/E0001",
        "/v1/factories/F000001",
        "/v1/factories/F000001/gateway-keys/sim-5",
    ]
    assert set(entries["/v1/enterprises/E0001"]) == {"name", "employees"}
    body = entries["/v1/factories/F000001"]
    assert body["level"] in LEVELS
    assert (body["established_on"] is None) == (body["level"] == "none")
    public = entries["/v1/factories/F000001/gateway-keys/sim-5"]["public_key"]
    assert base64.b64decode(public) == bytes(SigningKey(signing_seed(5, "F000001")).verify_key)
    machines = dict(machine_entries(factory, MONDAY))
    assert list(machines) == ["/v1/factories/F000001/machines/M01", "/v1/factories/F000001/machines/M02"]
    assert machines["/v1/factories/F000001/machines/M01"]["in_use_from"] == "2024-03-04"
