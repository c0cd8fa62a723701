"""Whatever is registered, for any time and in any order: answers equal those of the naive reference."""

import datetime as dt
import random
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest

from services.analytics.engine import advance
from services.api.database import engine
from services.api.kpis.answers import encoder
from services.api.kpis.groups import groups_of
from services.api.kpis.kept_sums import read_kept_sums, read_kept_times
from services.api.kpis.questions import GroupBy, Question, parse_scopes
from services.api.kpis.reading import read_span_times
from services.api.kpis.sums import read_sums
from services.api.kpis.tables import SERVED
from services.api.kpis.windows import Interval, buckets
from services.core.database import connect
from services.core.times import rfc3339
from tests.accounted import Count, State, write_rows
from tests.api import Api
from tests.half_hours import (
    A_DAY,
    COHORTS,
    FIRST_DAY,
    HALVES,
    WEEKDAYS,
    Asked,
    Json,
    Machine,
    Registry,
    at_half,
    expected_items,
)

BUSY = range(A_DAY * 26, A_DAY * 30)
"""The half hours in which everything happens: four days about the end of February."""
VALUES: dict[str, tuple[str, ...]] = {
    "region": ("KR-11", "KR-48"),
    "sector": ("C25", "C29"),
    "zone": ("Z1",),
    "sponsor": ("S1",),
    "level": ("none", "basic"),
    "size": ("1-9", "300+"),
    "factory": ("F1", "F2"),
    "machine": ("F1/M1", "F2/M2"),
}


ADD_HOLIDAY = "INSERT INTO holiday (day, name_ko, name_en, changed_in) VALUES ($1, '휴일', 'Holiday', 1)"
SHIFTS = [
    {"from": "08:00", "to": "20:00"},
    {"from": "22:30", "to": "06:00"},
    {"from": "00:00", "to": "24:00"},
    {"from": "09:30", "to": "11:00"},
]


@dataclass
class Play:
    """A random country, and the platform in which it is registered."""

    api: Api
    random: random.Random
    registry: Registry = field(default_factory=Registry)
    machines: list[Machine] = field(default_factory=list)
    until: int = 0

    async def register(self) -> None:
        """Two enterprises and two factories with two machines each, none of them certain to be known from the first."""
        await self.api.put("/v1/zones/Z1", {"name": "Z", "region": "KR-48"})
        await self.api.put("/v1/sponsors/S1", {"name": "S"})
        await self.add_holiday(FIRST_DAY + dt.timedelta(self.random.randint(25, 30)))
        for n in (1, 2):
            await self.put(f"/v1/enterprises/E{n}", self.enterprise())
        for n in (1, 2):
            await self.put(f"/v1/factories/F{n}", self.factory())
            for m in (1, 2):
                await self.put(f"/v1/factories/F{n}/machines/M{m}", self.machine())
                self.machines.append(Machine(f"F{n}", f"M{m}"))

    async def add_holiday(self, day: dt.date) -> None:
        connection = await connect(self.api.database_url)
        await connection.execute(ADD_HOLIDAY, day)
        await connection.close()
        self.registry.holidays.add(day)

    async def put(self, path: str, body: Json) -> None:
        """Say something: now and then without saying from when."""
        await self.put_from(path, body, at_half(self.random.choice(BUSY)) if self.random.random() < 0.75 else None)

    async def put_from(self, path: str, body: Json, from_us: int | None) -> None:
        """Register something from an instant on; None: correct it from its own beginning."""
        content = body if from_us is None else {**body, "effective_from": rfc3339(from_us)}
        answer = await self.api.put(path, content)
        assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED), answer.text
        self.registry.put(path, body, from_us)

    async def change(self) -> None:
        """Say something of some thing."""
        kinds = ("enterprise", "factory", "machine", "machine", "calendar", "calendar")
        kind, n = self.random.choice(kinds), self.random.randint(1, 2)
        if kind == "enterprise":
            await self.put(f"/v1/enterprises/E{n}", self.enterprise())
        elif kind == "factory":
            await self.put(f"/v1/factories/F{n}", self.factory())
        elif kind == "calendar":
            day = self.random.choice((None, self.random.choice(BUSY[::A_DAY])))
            await self.put_from(f"/v1/factories/F{n}/calendar", self.calendar(), None if day is None else at_half(day))
        else:
            await self.put(f"/v1/factories/F{n}/machines/M{self.random.randint(1, 2)}", self.machine())

    def enterprise(self) -> Json:
        return {"name": "E", "employees": self.random.choice((None, 9, 300))}

    def factory(self) -> Json:
        groups = {kind: self.random.choice(VALUES[kind]) for kind in ("region", "sector", "level")}
        belongs = {kind: self.random.choice((None, *VALUES[kind])) for kind in ("zone", "sponsor")}
        return {"name": "F", "enterprise_id": self.random.choice(("E1", "E2")), **groups, **belongs}

    def machine(self) -> Json:
        first, last = sorted(FIRST_DAY + dt.timedelta(days) for days in self.random.sample(range(25, 31), 2))
        always = self.random.random() < 0.5
        return {
            "name": "M",
            "kind": "mill",
            "automation": self.random.choice(("manual", "semi_automatic", "automatic", "robot")),
            "state_ttl_s": self.random.choice((1800, 3600, 86_400)),
            "ideal_cycle_s": self.random.choice((None, 10, 20)),
            "in_use_from": "2016-01-01" if always else str(first),
            "in_use_to": None if always else self.random.choice((None, str(last))),
        }

    def calendar(self) -> Json:
        if self.random.random() < 0.2:
            return {"weekly": None, "holidays": False, "exceptions": []}
        shifts = self.random.sample(SHIFTS, 2)
        weekly = [{"days": list(self.weekdays()), **shift} for shift in shifts[: self.random.randint(1, 2)]]
        if len(weekly) == 2 and set(weekly[0]["days"]) & set(weekly[1]["days"]):
            weekly.pop()
        exceptional = FIRST_DAY + dt.timedelta(self.random.randint(25, 30))
        exceptions = [{"date": str(exceptional), "shifts": self.random.choice(([], [SHIFTS[0]]))}]
        return {
            "weekly": weekly,
            "holidays": self.random.random() < 0.5,
            "exceptions": exceptions if self.random.random() < 0.5 else [],
        }

    def weekdays(self) -> Json:
        return dict.fromkeys(self.random.sample(WEEKDAYS, self.random.randint(1, 5)))

    async def send(self, rows: int) -> None:
        """Write rows of each machine, as ingest does."""
        found: list[State | Count] = []
        for number, machine in enumerate(self.machines, start=1):
            for n in self.random.sample(BUSY, rows):
                if self.random.random() < 0.3:
                    machine.counts[n] = self.random.randint(0, 9)
                    found.append(Count(number, at_half(n), machine.counts[n]))
                else:
                    state = self.random.choice((0, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7))
                    machine.states[n] = (state, self.random.randint(0, 3))
                    found.append(State(number, at_half(n), *machine.states[n]))
        connection = await connect(self.api.database_url)
        async with connection.transaction():
            await write_rows(connection, found)
        await connection.close()

    async def account(self, until: int) -> None:
        """Advance the accounts to ``until``; if they are there already, recompute only what changed."""
        self.until = until
        await self.api.settle_all(at_half(until))
        connection = await connect(self.api.database_url, "jejo_analytics")
        while await advance(connection, at_half(until)):
            await self.api.settle_all(at_half(until))
        await connection.close()
        await self.api.settle_all(at_half(until))
        for machine in self.machines:
            machine.account(self.registry, until)

    async def ask(self) -> None:
        """One question, and every item of its answer, to the last digit."""
        asked = self.question()
        parameters: list[tuple[str, Any]] = [("scope", f"{kind}:{value}") for kind, value in asked.scope.items()]
        parameters += [("interval", asked.interval), ("limit", 5000)]
        parameters += [("from", rfc3339(at_half(asked.first))), ("to", rfc3339(at_half(asked.end)))]
        parameters += [("group_by", asked.group_by)] if asked.group_by else []
        answer = await self.api.ask("GET", "/v1/kpis", params=parameters)
        assert answer.status_code == HTTPStatus.OK, answer.text
        items = [
            encoder.encode(item).decode() for item in expected_items(self.registry, self.machines, asked, self.until)
        ]
        assert answer.text.partition(',"accounted_until"')[0] == '{"items":[' + ",".join(items) + "]", asked

    async def compare_ways(self) -> None:
        """A question about groups, answered from what is kept and from cohorts and spans: both must find the same."""
        until_us = at_half(self.until)
        interval = self.random.choice((Interval.DAY, Interval.MONTH, Interval.TOTAL))
        days = (0, 28 * A_DAY, HALVES) if interval is Interval.MONTH else BUSY[::A_DAY]
        first, end = sorted(self.random.sample(days, 2))
        begun = buckets(at_half(first), at_half(end), interval).until(until_us)
        others = self.random.sample([kind for kind in COHORTS if kind != "region"], self.random.choice((0, 0, 1)))
        kinds = [*others, *(kind for kind in ("region",) if self.random.random() < 0.5)]
        group_by = self.random.choice((None, "region", *(others or COHORTS[1:])))
        scope = parse_scopes([f"{kind}:{self.random.choice(VALUES[kind])}" for kind in kinds])
        question = Question(scope, group_by and GroupBy(group_by), interval, begun, until_us)
        groups = groups_of(question) if begun else None
        if groups is None:
            assert not begun or len({*kinds, group_by} - {None, "region"}) > 1
            return
        database = engine(self.api.database_url, 1)
        async with database.connect() as connection:
            kept = await read_kept_sums(connection, question, groups, SERVED)
            assert kept == await read_sums(connection, question), question
            kept_times = await read_kept_times(connection, question, groups, "")
            assert list(kept_times) == list(await read_span_times(connection, question, "")), question
        await database.dispose()

    def question(self) -> Asked:
        interval = self.random.choice(list(Interval))
        edges = {Interval.MONTH: (0, 28 * A_DAY, HALVES), Interval.DAY: BUSY[::A_DAY]}.get(interval, BUSY[::2])
        first, end = sorted(self.random.sample(edges, 2))
        kinds = self.random.sample(list(VALUES), self.random.choice((0, 0, 1, 1, 2)))
        scope = {kind: self.random.choice(VALUES[kind]) for kind in kinds}
        return Asked(scope, self.random.choice((None, *COHORTS, "factory", "machine")), interval, first, end)


@pytest.mark.parametrize("seed", [2, 10])
async def test_any_registry(api: Api, seed: int) -> None:
    play = Play(api, random.Random(seed))
    await play.register()
    for until in sorted(play.random.sample(BUSY, 3)):
        await play.send(20)
        for changes in (5, 2):
            # In the second round, no facts arrive and no time passes: only the registry changes.
            for _ in range(changes):
                await play.change()
            await play.account(until)
            for _ in range(8):
                await play.ask()
            for _ in range(12):
                await play.compare_ways()
