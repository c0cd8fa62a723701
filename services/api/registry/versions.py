"""A thing's versions in time, and how registering something changes them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, seoul_day, seoul_midnight_us

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Version(Generic[C_co]):
    """The content that is registered of a thing for [from, to), in microseconds since the Unix epoch."""

    from_us: int
    to_us: int
    content: C_co


@dataclass(frozen=True, slots=True)
class Revision(Generic[C_co]):
    """How one registration changes a thing's versions.

    Attributes:
        retired: versions that are no longer current.
        added: versions that become current.
        version: the version that holds the registered content.
        replaced: the version that was in force at its start before, if any.
    """

    retired: tuple[Version[C_co], ...]
    added: tuple[Version[C_co], ...]
    version: Version[C_co]
    replaced: Version[C_co] | None

    @property
    def affected_from_us(self) -> int:
        """The instant from which accounts may differ: a machine's whole day belongs to the cohort at its end."""
        return seoul_midnight_us(seoul_day(self.version.from_us))


def revise(versions: Sequence[Version[C]], content: C, effective_from_us: int | None, now_us: int) -> Revision[C]:
    """Returns the revision that registers content from an instant until the thing's next version.

    Without an instant, the current version is corrected from its own start; the first version of all then holds from
    the beginning of time. Versions that begin later stay as they are.

    Args:
        versions: the current ones, in order, without overlaps.
    """
    if effective_from_us is None:
        current = version_at(versions, now_us)
        effective_from_us = FIRST_INSTANT_US if current is None else current.from_us
    replaced = next((v for v in versions if v.from_us <= effective_from_us < v.to_us), None)
    if replaced is None:
        later = [v.from_us for v in versions if v.from_us > effective_from_us]
        first = Version(effective_from_us, min(later, default=LAST_INSTANT_US), content)
        return Revision((), (first,), first, None)
    if replaced.content == content:
        return Revision((), (), replaced, replaced)
    version = Version(effective_from_us, replaced.to_us, content)
    if effective_from_us == replaced.from_us:
        return Revision((replaced,), (version,), version, replaced)
    before = Version(replaced.from_us, effective_from_us, replaced.content)
    return Revision((replaced,), (before, version), version, replaced)


def apply(versions: Sequence[Version[C]], revision: Revision[C]) -> list[Version[C]]:
    """Returns the current versions after a revision, in order of time."""
    kept = [version for version in versions if version not in revision.retired]
    return sorted([*kept, *revision.added], key=lambda version: version.from_us)


def version_at(versions: Sequence[Version[C]], us: int) -> Version[C] | None:
    """Returns the version in force at an instant, else the last one before it, else the first, if there is any."""
    begun = [v for v in versions if v.from_us <= us]
    if begun:
        return begun[-1]
    return versions[0] if versions else None
