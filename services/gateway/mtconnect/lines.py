"""Reads the lines of one machine's logs. Pure.

Lines that begin with ``*`` are protocol messages between adapter and agent. Keys such as ``@ASSET@`` are of assets
(tools, fixtures), which observe nothing. A text that ends in ``--multiline--TAG`` goes on to a line that is this tag.
"""

import re
from dataclasses import dataclass

from services.gateway.mtconnect.fields import DETAIL, FieldReader, Findings, Source
from services.gateway.mtconnect.model import DeviceModel
from services.gateway.mtconnect.observations import Line
from services.gateway.mtconnect.problems import ProblemKind, Problems
from services.gateway.mtconnect.tokenizer import open_quotes, parse_timestamp, protocol_message, split_fields

MULTILINE = "--multiline--"
OBSERVATION = re.compile(r"\s*\d{4}-\d\d-\d\dT[^|]*\|[^|]+\|")


@dataclass(slots=True)
class Tally:
    """How many lines were read, by kind; the others observed the machine."""

    lines: int = 0
    unread: int = 0
    assets: int = 0
    protocol: int = 0
    other: int = 0


class LineReader:
    """Reads the lines of one machine, in the order in which they were received."""

    def __init__(
        self, model: DeviceModel, names: frozenset[str], problems: Problems, *, native_units: bool = True
    ) -> None:
        """Set the model.

        Args:
            names: what may prefix the machine's keys, besides the model's own names.
            native_units: whether numbers are in the machine's own units, unless a protocol message says otherwise.
        """
        self.tally = Tally()
        self._fields = FieldReader(model, names, problems, native_units=native_units)
        self._problems = problems
        self._file = ""
        self._number = 0
        self._block_end: str | None = None
        self._instant: tuple[str | None, int] = (None, 0)

    def begin_connection(self, file: str) -> None:
        """Begin with the lines of another file, or of another connection."""
        self.end_connection()
        self._fields.begin_connection()
        self._file, self._number = file, 0

    def end_connection(self) -> None:
        """Report a block of lines that has not ended."""
        if self._block_end is not None:
            self._report_open_block()

    def read(self, text: str) -> Line | None:
        """Read the next line. Return what it reports of the machine; None if that is nothing."""
        self.tally.lines += 1
        self._number += 1
        text = text.rstrip("\r\n")
        if self._block_end is not None and not self._ends_block(text):
            self.tally.assets += 1
            return None
        before, mark, tag = text.rstrip().rpartition(MULTILINE)
        if mark and not before.strip():
            text = before  # The end of a block that was cut off before.
        elif mark and tag.split() in ([], [tag]):
            self._block_end = mark + tag
            text = before
        if not text.strip() or text.lstrip().startswith("*"):
            self.tally.protocol += 1
            if message := protocol_message(text):
                self._fields.obey(*message)
            return None
        return self._read_fields(text)

    def _ends_block(self, text: str) -> bool:
        """Return whether a block was cut off before this line, which is then read."""
        if text.strip() == self._block_end:
            self._block_end = None
        elif OBSERVATION.match(text):
            self._report_open_block()
            return True
        return False

    def _report_open_block(self) -> None:
        self._problems.add(ProblemKind.ASSET_END, Source(self._file, self._number, "").place(), self._block_end or "")
        self._block_end = None

    def _read_fields(self, text: str) -> Line | None:
        source = Source(self._file, self._number, text)
        fields = split_fields(text)
        if '"' in text:
            for column in open_quotes(text):
                self._problems.add(
                    ProblemKind.QUOTE, source.place()._replace(column=column), text[column - 1 : column - 1 + DETAIL]
                )
        try:
            at_us = self._parse_instant(fields[0])
        except ValueError as error:
            self.tally.unread += 1
            self._problems.add(ProblemKind.TIMESTAMP, source.place(0), str(error))
            return None
        findings = self._fields.read(fields, source)
        if not findings.is_of_machine:
            self._tally_other(findings)
            if not any(fields[1:]):
                self._problems.add(ProblemKind.CUT_OFF, source.place(), text[:DETAIL])
            return None
        return Line(at_us, source.place(), tuple(findings.observations), tuple(findings.keys))

    def _tally_other(self, findings: Findings) -> None:
        """Count a line that reports nothing of the machine."""
        if findings.is_asset:
            self.tally.assets += 1
        elif findings.is_of_other_device:
            self.tally.other += 1
        else:
            self.tally.unread += 1

    def _parse_instant(self, text: str) -> int:
        if text != self._instant[0]:
            self._instant = (text, parse_timestamp(text))
        return self._instant[1]
