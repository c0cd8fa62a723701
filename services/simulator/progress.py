"""Keeps how far a simulated fleet was sent in a file, so that the next run sends only what is missing."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from services.core.errors import ConfigurationError


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """The file's content: instants in microseconds since the epoch, and the number of rows that have arrived."""

    fleet: str
    begin_us: int
    history_end_us: int
    sent_us: int
    rows: int


@dataclass(slots=True)
class Progress:
    """When a world begins, when the history of its first run ended, and up to when everything due has arrived."""

    path: Path | None
    fleet: str
    begin_us: int
    history_end_us: int
    sent_us: int
    rows: int = 0

    @classmethod
    def read(cls, path: Path | None, fleet: str, begin_us: int, history_end_us: int) -> "Progress":
        """Read the file; without one, return the beginning of a new world.

        Raises:
            ConfigurationError: the file is about another fleet, or is not a progress file.
        """
        if path is None or not path.exists():
            return cls(path, fleet, begin_us, history_end_us, begin_us)
        try:
            content = msgspec.json.decode(path.read_bytes(), type=Content)
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigurationError(f"{path} cannot be read ({error}): remove it, or name another file.") from error
        if content.fleet != fleet:
            raise ConfigurationError(
                f"{path} is about another fleet ({content.fleet}; now {fleet}): simulate that, or name another file."
            )
        return cls(path, fleet, content.begin_us, content.history_end_us, content.sent_us, content.rows)

    def save(self, sent_us: int, rows: int) -> None:
        """Write the file, if there is to be one.

        Args:
            sent_us: the instant up to which everything due has arrived.
            rows: how many rows have arrived in this run.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        if self.path is None:
            return
        content = Content(self.fleet, self.begin_us, self.history_end_us, sent_us, self.rows + rows)
        new = self.path.with_name(self.path.name + ".new")
        try:
            new.write_bytes(msgspec.json.encode(content))
            os.replace(new, self.path)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written ({error.strerror}): name another file.") from error
