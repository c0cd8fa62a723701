"""Remembers, in a file, how far a simulated fleet was sent, so that the next run sends only what is missing."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from services.core.errors import ConfigurationError


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    """What is in the file: instants in microseconds since the epoch, and the rows that have arrived."""

    fleet: str
    begin_us: int
    history_end_us: int
    sent_us: int
    rows: int


@dataclass(slots=True)
class Progress:
    """Where a world begins, where the history of its first run ended, and up to when all that was due has arrived."""

    path: Path | None
    fleet: str
    begin_us: int
    history_end_us: int
    sent_us: int
    rows: int = 0

    @classmethod
    def read(cls, path: Path | None, fleet: str, begin_us: int, history_end_us: int) -> "Progress":
        """As kept in the file; a new world without one.

        Raises:
            ConfigurationError: the file is of another fleet, or none.
        """
        if path is None or not path.exists():
            return cls(path, fleet, begin_us, history_end_us, begin_us)
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigurationError(f"{path} cannot be read ({error}): remove it, or name another file.") from error
        if kept.fleet != fleet:
            raise ConfigurationError(
                f"{path} is about another fleet ({kept.fleet}; now {fleet}): ask for that one, or name another file."
            )
        return cls(path, fleet, kept.begin_us, kept.history_end_us, kept.sent_us, kept.rows)

    def note(self, sent_us: int, rows: int) -> None:
        """Remember up to when everything has arrived; ``rows`` are those of this run."""
        if self.path is None:
            return
        kept = Kept(self.fleet, self.begin_us, self.history_end_us, sent_us, self.rows + rows)
        new = self.path.with_name(self.path.name + ".new")
        try:
            new.write_bytes(msgspec.json.encode(kept))
            os.replace(new, self.path)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written ({error.strerror}): name another file.") from error
