"""Ingest beside what others would run in its place: the same topic, rows, table and machine, one after the other."""

import asyncio
import itertools
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from tests.bench.figures import Figure
from tests.bench.ingest.records import SERIES, Country
from tests.bench.ingest.rounds import EMPTY, Bench, bench, postgres_s, processor_s
from tests.bench.ingest.speed import FACTORIES, Readings, prepare
from tests.bench.peers.environment import peers_python
from tests.bench.stacks import Servers
from tests.databases import execute
from tests.stack import ROOT

ROUNDS = 3
LONGEST_S = 45.0
"""Slow peers read only the beginning of the topic."""
START_S = 60.0
FRAMEWORKS = ("quix", "sqlalchemy_core")
PEERS = (*FRAMEWORKS, "expert")
serial_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Line:
    """What a peer printed, and when (seconds)."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Rows per second, and seconds of the processors, its own and the database's, that a million rows cost."""

    rows_per_s: float
    cpu_s_per_million: float


def figures(servers: Servers) -> Iterator[Figure]:
    """Alternate ingest and the peers; the ratios are medians of the rounds' ratios."""
    python = peers_python()
    with bench(servers, "bench_peers", Country(FACTORIES)) as here:
        readings = prepare(here, "bench_peers_readings", instants=1)
        rounds = [one_round(here, readings, python) for _ in range(ROUNDS)]
    for name in ("ingest", *PEERS):
        cost = statistics.median(one[name].cpu_s_per_million for one in rounds)
        yield Figure(f"peers.{name}_rows_per_s", statistics.median(one[name].rows_per_s for one in rounds), "rows/s")
        yield Figure(f"peers.{name}_cpu_s_per_million_rows", cost, "s, with the database's")
    frameworks = statistics.median(over(one, *FRAMEWORKS) for one in rounds)
    yield Figure("ingest.ratio_to_best_framework", frameworks, "ratio", ">= 8")
    yield Figure(
        "ingest.ratio_to_expert_script", statistics.median(over(one, "expert") for one in rounds), "ratio", ">= 1.4"
    )


def over(paces: dict[str, Pace], *peers: str) -> float:
    """Ingest over the fastest of these peers in a round."""
    return paces["ingest"].rows_per_s / max(paces[name].rows_per_s for name in peers)


def one_round(here: Bench, readings: Readings, python: Path) -> dict[str, Pace]:
    """The pace of ingest and of each peer; ingest is first, and numbers the metrics."""
    round = here.round(readings.topic, readings.load)
    millions = round.records * SERIES / 1e6
    ours = Pace(round.records_per_s * SERIES, (round.used.workers + round.used.postgres) / millions)
    return {"ingest": ours, **{name: pace_of(name, here, readings, python) for name in PEERS}}


def pace_of(name: str, here: Bench, readings: Readings, python: Path) -> Pace:
    """The pace of a peer from the moment that it may read until its last commit within LONGEST_S."""
    asyncio.run(execute(here.stack.database_url, EMPTY))
    group = f"{name}-{next(serial_numbers)}"
    given = {"bootstrap": here.stack.kafka.bootstrap, "topic": readings.topic, "group": group}
    words = [part for key, value in given.items() for part in (f"--{key}", value)]
    command = [str(python), "-m", f"tests.bench.peers.{name}", *words, "--database", here.stack.database_url]
    database = here.servers.postgres.pid
    with (here.stack.folder / f"{group}.log").open("w+") as log:
        peer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            lines = reports_of(peer)
            began = wait_until_ready(peer, lines)
            before = processor_s(peer.pid) + postgres_s(database)
            last = last_report(peer, lines, readings.rows.count, began.at + LONGEST_S)
            used = processor_s(peer.pid) + postgres_s(database) - before
        except AssertionError as error:
            log.seek(0)
            raise AssertionError(f"{name}: {error}\n{log.read()[-4000:]}") from error
        finally:
            peer.send_signal(signal.SIGKILL)
            peer.wait()
    rows, stored = int(last.text), here.stored()
    assert stored >= rows, f"{name} reported {rows} rows and stored {stored}"
    return Pace(rows / (last.at - began.at), used / rows * 1e6)


def reports_of(peer: "subprocess.Popen[str]") -> "SimpleQueue[Line]":
    """What a peer prints, as it comes."""
    assert peer.stdout is not None
    lines: SimpleQueue[Line] = SimpleQueue()
    Thread(target=take_down, args=(peer.stdout, lines), daemon=True).start()
    return lines


def wait_until_ready(peer: "subprocess.Popen[str]", lines: "SimpleQueue[Line]") -> Line:
    """Return the first report."""
    began = next_line(peer, lines, time.perf_counter() + START_S)
    assert began is not None, "it was not ready in time"
    assert began.text == "ready", began.text
    return began


def last_report(peer: "subprocess.Popen[str]", lines: "SimpleQueue[Line]", rows: int, deadline: float) -> Line:
    """Return the report that all rows are stored, or else the last before the deadline."""
    last = None
    while last is None or last.text != str(rows):
        line = next_line(peer, lines, deadline)
        if line is None:
            break
        last = line
    assert last is not None, "it stored nothing"
    return last


def take_down(out: IO[str], lines: "SimpleQueue[Line]") -> None:
    """Take the time of each line."""
    for text in out:
        lines.put(Line(text.strip(), time.perf_counter()))


def next_line(peer: "subprocess.Popen[str]", lines: "SimpleQueue[Line]", deadline: float) -> Line | None:
    """Return the next report; None if there is none before the deadline."""
    while time.perf_counter() < deadline:
        try:
            return lines.get(timeout=0.1)
        except Empty:
            assert peer.poll() is None, "it has ended"
    return None
