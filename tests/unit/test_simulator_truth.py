"""The truth file: the worked examples of the KPI definitions, and a small fleet."""

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas.wire.codes import Mode, State
from services.core.errors import ConfigurationError
from services.core.times import DAY_US, HOUR_US, SECOND_US, rfc3339, seoul_midnight_us
from services.simulator.cohorts import draw_changes
from services.simulator.fleet import Automation, Connection, make_fleet
from services.simulator.machine_truth import Account
from services.simulator.source import World
from services.simulator.truth import Sums, kpis_of, write_truth

BEGIN_US = seoul_midnight_us(dt.date(2024, 3, 4))


def account(producing: int, delayed: int, good: int, scrap: int, **states_s: int) -> Account:
    times = {State.producing: producing, State.delayed: delayed, **{State[k]: s for k, s in states_s.items()}}
    state_us = Counter({state: seconds * SECOND_US for state, seconds in times.items() if seconds})
    return Account(state_us, mode_us=Counter({Mode.manual: producing * SECOND_US}), good=good, scrap=scrap)


def values(sums: Sums) -> dict[str, Any]:
    found: dict[str, Any] = kpis_of(sums)
    return {name: None if kpi["value"] is None else round(kpi["value"], 6) for name, kpi in found.items()}


def test_the_worked_example_with_one_machine() -> None:
    sums = Sums()
    sums.add(account(9000, 1800, 800, 200), is_counted=True, cycle_us=10 * SECOND_US)
    found = values(sums)
    assert found["availability"] == found["utilisation_efficiency"] == found["technical_efficiency"] == 0.833333
    assert found["effectiveness"] == 1.111111
    assert found["quality_ratio"] == 0.8
    assert found["oee"] == found["nee"] == 0.740741
    assert found["throughput_per_h"] == round(1000 / 3, 6)
    assert found["automatic_production_share"] == 0
    assert found["mtbf_h"] is None
    assert found["coverage"] is None


def test_the_worked_example_with_two_ideal_cycles() -> None:
    sums = Sums()
    sums.add(account(1000, 0, 100, 0), is_counted=True, cycle_us=10 * SECOND_US)
    sums.add(account(10_000, 0, 0, 100), is_counted=True, cycle_us=100 * SECOND_US)
    oee: Any = kpis_of(sums)["oee"]
    assert (oee["numerator"], oee["denominator"]) == (Decimal(1000), Decimal(11_000))


def test_sums_leave_out_days_not_counted_and_machines_without_a_cycle() -> None:
    sums = Sums()
    sums.add(account(3600, 0, 10, 0, setup=3600, faulted=1800), is_counted=False, cycle_us=SECOND_US)
    found = values(sums)
    assert found["availability"] == 0.4
    assert found["setup_ratio"] == 0.5
    assert found["oee"] is found["effectiveness"] is found["throughput_per_h"] is None
    sums.add(account(3600, 0, 10, 0), is_counted=True, cycle_us=None)
    assert values(sums)["throughput_per_h"] == 10
    assert values(sums)["oee"] is None
    sums.failures = 2
    assert values(sums)["mtbf_h"] == 1
    assert values(sums)["mttr_h"] == 0.25


def write(path: Path, trouble: float, days: float, factories: int = 12) -> dict[str, Any]:
    world = World(3, BEGIN_US, trouble)
    fleet = make_fleet(3, factories)
    end_us = BEGIN_US + round(days * DAY_US)
    changes = draw_changes(3, fleet, BEGIN_US, end_us, trouble)
    sent_us = {factory.factory_id: end_us for factory in fleet}
    write_truth(path, world, fleet, changes, sent_us, dt.date(2024, 3, 4))
    truth: dict[str, Any] = json.loads(path.read_text(), parse_float=Decimal, parse_int=Decimal)
    return truth


def test_groups_add_up_to_the_nation_and_days_to_the_window(tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.json", 15, 3)
    nation = truth["scopes"]["nation"]
    assert (truth["from"], truth["to"]) == (rfc3339(BEGIN_US), rfc3339(BEGIN_US + 3 * DAY_US))
    assert len(truth["days"]) == 3
    for part in ("time_s", "producing_by_mode_s", "counts"):
        for name, figure in nation[part].items():
            assert sum(day[part][name] for day in truth["days"].values()) == figure
            for group in ("factory", "region", "sector", "level"):
                own = [item for scope, item in truth["scopes"].items() if scope.startswith(f"{group}:")]
                assert sum(item[part][name] for item in own) == figure, group
    machines = sum(len(factory.machines) for factory in make_fleet(3, 12))
    assert nation["machines"] == machines
    assert sum(nation["time_s"].values()) == machines * 3 * 86_400
    # Some factory moved from one group to another, and is in both.
    levels = [item["factories"] for scope, item in truth["scopes"].items() if scope.startswith("level:")]
    assert sum(levels) > 12


def test_without_trouble_only_machines_that_send_no_states_are_unknown(tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.json", 0, 1)
    for factory in make_fleet(3, 12):
        item = truth["scopes"][f"factory:{factory.factory_id}"]
        sends_states = factory.connection is Connection.STATES
        assert item["kpis"]["coverage"]["value"] == int(sends_states)
        share = item["kpis"]["auto_collected_share"]
        assert share["denominator"] == len(factory.machines)
        if sends_states:
            assert share["numerator"] == len(factory.machines)
        automated = sum(m.automation in (Automation.AUTOMATIC, Automation.ROBOT) for m in factory.machines)
        assert item["kpis"]["automated_equipment_share"]["numerator"] == automated


def test_the_window_ends_with_the_last_whole_hour(tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.json", 1, 30.5 / 24)
    assert truth["to"] == rfc3339(BEGIN_US + 30 * HOUR_US)
    assert list(truth["days"]) == ["2024-03-04"]
    with pytest.raises(ConfigurationError, match="no whole hour"):
        write(tmp_path / "truth.json", 1, 0.5 / 24)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write(tmp_path / "none" / "truth.json", 1, 1)
