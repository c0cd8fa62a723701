"""A measured figure: a line for people, a JSON line with date and machine for comparing runs."""

import datetime as dt
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REPORT = Path("build/bench.jsonl")
NO_GOAL = "no goal yet"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; ``goal`` says what is aimed at."""

    name: str
    value: float
    unit: str
    goal: str = NO_GOAL

    def report(self) -> None:
        """Print the figure, and add it to the report."""
        value = f"{self.value:.0f}" if self.value >= 1000 else f"{self.value:.3g}"
        print(f"{self.name} {value} {self.unit} {self.goal}", flush=True)
        REPORT.parent.mkdir(exist_ok=True)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with REPORT.open("a") as out:
            out.write(json.dumps({**asdict(self), "at": now, "machine": machine()}) + "\n")


def progress(text: str) -> None:
    """Tell whoever waits how far a long family is, apart from the figures."""
    print(f"[{dt.datetime.now(dt.UTC):%H:%M:%S}] {text}", file=sys.stderr, flush=True)


def machine() -> str:
    """Where it was measured, and how busy that was: the load tells a quiet run from another."""
    load = os.getloadavg()[0]
    return f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that at least ``share`` of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]
