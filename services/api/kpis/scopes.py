"""Scopes of a KPI query: what of the country is summed up. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.wire.limits import FACTORY_ID_PATTERN, LOCAL_ID_PATTERN

FACTORY = re.compile(f"factory:({FACTORY_ID_PATTERN})")
MACHINE = re.compile(f"machine:({FACTORY_ID_PATTERN})/({LOCAL_ID_PATTERN})")
LATER = ("region", "sector", "zone", "sponsor", "level", "size")


class GroupBy(StrEnum):
    """What each item is about."""

    FACTORY = "factory"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Scope:
    """The intersection of everything asked for; ``factory_id`` None: the nation.

    ``is_empty``: two different factories or machines have nothing in common.
    """

    label: str
    factory_id: str | None = None
    machine_id: str | None = None
    is_empty: bool = False


def parse_scopes(texts: Sequence[str]) -> Scope:
    """The intersection of scopes; none: the nation.

    Raises:
        ValueError: one of them is no scope, or not offered.
    """
    factories: set[str] = set()
    machines: set[tuple[str, str]] = set()
    for text in texts:
        if match := MACHINE.fullmatch(text):
            machines.add((match[1], match[2]))
            factories.add(match[1])
        elif match := FACTORY.fullmatch(text):
            factories.add(match[1])
        elif text.partition(":")[0] in LATER:
            raise ValueError(f"scope {text} is not offered yet; ask for nation, factory:ID or machine:FACTORY/ID")
        elif text != "nation":
            raise ValueError(f"{text!r} is no scope; write nation, factory:ID or machine:FACTORY/ID")
    return Scope(
        "&".join(dict.fromkeys(texts)) or "nation",
        min(factories, default=None),
        min(machines)[1] if machines else None,
        len(factories) > 1 or len(machines) > 1,
    )
