"""Versions in time: what a PUT does to them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.core.times import FIRST_INSTANT_US, LAST_INSTANT_US, seoul_day, seoul_midnight_us

Content = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Version:
    """What is said of a thing for [from, to), in microseconds."""

    from_us: int
    to_us: int
    content: Content


@dataclass(frozen=True, slots=True)
class Revision:
    """What a PUT changes: versions no longer believed, and those believed instead.

    ``said`` is the version that holds the PUT's content, ``replaced`` what was believed of its span before.
    """

    retired: tuple[Version, ...]
    added: tuple[Version, ...]
    said: Version
    replaced: Version | None

    @property
    def felt_from_us(self) -> int:
        """Where accounts may differ from: a machine's day is the cohort's in which it ends, so it is felt all day."""
        return seoul_midnight_us(seoul_day(self.said.from_us))


def revise(versions: Sequence[Version], content: Content, effective_from_us: int | None, now_us: int) -> Revision:
    """Say something new of a thing, from an instant until its next known version.

    Without an instant it corrects the current version from that version's own start; the first version of all then
    holds from the beginning of time. Versions that begin later stay as they are.

    Args:
        versions: the present ones, in order, none overlapping another.
    """
    if effective_from_us is None:
        current = version_at(versions, now_us)
        effective_from_us = FIRST_INSTANT_US if current is None else current.from_us
    replaced = next((v for v in versions if v.from_us <= effective_from_us < v.to_us), None)
    if replaced is None:
        later = [v.from_us for v in versions if v.from_us > effective_from_us]
        said = Version(effective_from_us, min(later, default=LAST_INSTANT_US), content)
        return Revision((), (said,), said, None)
    if replaced.content == content:
        return Revision((), (), replaced, replaced)
    said = Version(effective_from_us, replaced.to_us, content)
    if effective_from_us == replaced.from_us:
        return Revision((replaced,), (said,), said, replaced)
    before = Version(replaced.from_us, effective_from_us, replaced.content)
    return Revision((replaced,), (before, said), said, replaced)


def believe(versions: Sequence[Version], revision: Revision) -> list[Version]:
    """The present versions after a revision, in order."""
    kept = [version for version in versions if version not in revision.retired]
    return sorted([*kept, *revision.added], key=lambda version: version.from_us)


def version_at(versions: Sequence[Version], us: int) -> Version | None:
    """The version in force at an instant; else the last before it; else the first of all; None without any."""
    begun = [v for v in versions if v.from_us <= us]
    if begun:
        return begun[-1]
    return versions[0] if versions else None
