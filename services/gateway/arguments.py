"""Parses the arguments of `jejo gateway replay`."""

import glob
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from schemas.wire.limits import LOCAL_ID
from services.core.errors import ConfigurationError
from services.core.times import SECOND_US

T = TypeVar("T")


def parse_machines(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Parse ``ID=FILE[,FILE...]`` to the logs of each machine; a pattern expands to the files it matches, by name.

    Raises:
        ConfigurationError: an argument is not of that form or names no file, or a machine is given twice.
    """
    machines: dict[str, list[Path]] = {}
    for text in texts:
        machine_id, _, names = text.partition("=")
        checked(LOCAL_ID, machine_id, "--machine")
        if machine_id in machines:
            raise ConfigurationError(
                f"--machine {machine_id} is given twice: give all of its files at once, separated by commas."
            )
        paths = [path for name in names.split(",") if name for path in expand(name)]
        if not paths:
            raise ConfigurationError(f"--machine {text} names no file that exists: write ID=FILE[,FILE...].")
        machines[machine_id] = paths
    return machines


def expand(name: str) -> list[Path]:
    """Return the files that a name or a pattern stands for."""
    return [Path(found) for found in sorted(glob.glob(name))] if glob.has_magic(name) else [Path(name)]


def parse_device_names(texts: Sequence[str], machines: Sequence[str]) -> dict[str, str]:
    """Parse ``MACHINE=NAME`` to the device of each machine; a NAME alone is that of the only machine.

    Raises:
        ConfigurationError: a machine is not among those replayed, or given twice.
    """
    return parse_by_machine("--device", texts, machines, str)


def parse_ideal_cycles(texts: Sequence[str], machines: Sequence[str]) -> dict[str, int]:
    """Parse ``[MACHINE=]SECONDS`` to microseconds; SECONDS alone, under "", are those of every other machine.

    Raises:
        ConfigurationError: a time is not a number above 0, or see ``parse_device_names``.
    """
    return parse_by_machine("--ideal-cycle-s", texts, machines, parse_seconds, other="")


def parse_by_machine(
    option: str, texts: Sequence[str], machines: Sequence[str], parse: Callable[[str], T], *, other: str | None = None
) -> dict[str, T]:
    """Parse a repeatable option ``MACHINE=VALUE``.

    Args:
        other: the key of a VALUE alone; None: it is for the only machine.

    Raises:
        ConfigurationError: a machine is not among those replayed, or given twice.
    """
    values: dict[str, T] = {}
    for text in texts:
        machine_id, equals, value = text.rpartition("=")
        if not equals and len(machines) > 1 and other is None:
            raise ConfigurationError(f"{option} {text}: write MACHINE=VALUE, as there are several machines.")
        if equals and machine_id not in machines:
            raise ConfigurationError(f"{option} {text}: no logs of the machine {machine_id} are given with --machine.")
        key = machine_id if equals else machines[0] if other is None else other
        if key in values:
            raise ConfigurationError(f"{option} is given twice for {key or 'every machine'}: give it once.")
        values[key] = parse(value)
    return values


def parse_seconds(text: str) -> int:
    """Parse a time in seconds to microseconds.

    Raises:
        ConfigurationError: it is not a number above 0.
    """
    try:
        microseconds = int(Decimal(text) * SECOND_US)
    except (ArithmeticError, ValueError):
        microseconds = 0
    if microseconds < 1:
        raise ConfigurationError(f"--ideal-cycle-s {text}: write the seconds that a piece takes at least.")
    return microseconds


def checked(pattern: re.Pattern[str], text: str, option: str) -> str:
    """Return ``text`` if it matches the pattern of an id.

    Raises:
        ConfigurationError: it does not.
    """
    if not pattern.fullmatch(text):
        raise ConfigurationError(f"{option} {text!r} is not an id: it must match {pattern.pattern}.")
    return text
