"""Reads the fields behind a line's timestamp as observations, by the device model. Pure.

The model says how many fields follow a key. Conditions and messages may be shorter than that: they end where a field
names a data item and the next one is a value that it can have. The same rule finds the next key again behind fields
that belong to none.

A ready-made model does not know a machine's conditions. With it, an unknown key is a condition if its fields have the
shape of one, and stays one from then on.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.gateway.mtconnect.model import DataItem, DeviceModel, Form, Role
from services.gateway.mtconnect.observations import Condition, Measurement, Observation, Value
from services.gateway.mtconnect.problems import Place, ProblemKind, Problems
from services.gateway.mtconnect.shapes import (
    MAXIMUM_FIELDS,
    has_shape_of_condition,
    is_number,
    is_total,
    without_reset,
)
from services.gateway.mtconnect.tokenizer import located_fields
from services.gateway.mtconnect.vocabulary import LEVELS, WORDS, Level, is_unavailable, normalised

VALUE_LAST = (Form.MESSAGE, Form.ASSET_EVENT)
"""Forms whose value is the second field, as in ``message||UNAVAILABLE``, if there are two."""

LEFT_OUT = {
    Form.TIME_SERIES: ProblemKind.TIME_SERIES,
    Form.DATA_SET: ProblemKind.DATA_SET,
    Form.VECTOR: ProblemKind.DATA_SET,
}
ASSET = re.compile(r"@[A-Z_]+@")
"""A key that is a command about assets, as ``@REMOVE_ASSET@``."""

UNKNOWN_IF_INVALID = (Role.EXECUTION, Role.CONTROLLER_MODE)
"""The roles in which an invalid word makes unknown what they decide; in the others it changes nothing."""
CONDITION_IDS_SINCE = (2, 3)
DETAIL = 60


@dataclass(slots=True)
class Source:
    """One line of a log, for the report."""

    file: str
    number: int
    text: str
    columns: Sequence[int] = ()
    """Of its fields, once one is asked for: a line of many fields may have as many problems."""

    def place(self, index: int = -1) -> Place:
        """Return the place of field ``index``, or of the line."""
        if index < 0:
            return Place(self.file, self.number)
        self.columns = self.columns or [column for _, column in located_fields(self.text)]
        return Place(self.file, self.number, self.columns[index])


@dataclass(slots=True)
class Findings:
    """What one line's fields reported: see ``Line``."""

    observations: list[Observation] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    is_of_machine: bool = False
    is_asset: bool = False
    is_of_other_device: bool = False


class FieldReader:
    """Reads the fields of one machine's lines. It remembers which keys are conditions, and the device named last."""

    def __init__(self, model: DeviceModel, names: frozenset[str], problems: Problems, *, native_units: bool) -> None:
        """Set the model; for the arguments see ``LineReader``."""
        self._model = model
        self._names = {*model.names, *names}
        self._problems = problems
        self._conditions: dict[str, DataItem] = {}
        self._is_default_device = True
        self._native_units = self._converts = native_units
        # Where the line at hand ends without the empty fields at its end.
        self._last = 0

    def begin_connection(self) -> None:
        """Forget the protocol messages of the connection before."""
        self._is_default_device = True
        self._converts = self._native_units

    def obey(self, command: str, value: str) -> None:
        """Take note of a protocol message that changes how lines are to be read; see ``protocol_message``."""
        match command:
            case "device":
                self._is_default_device = value in self._names
            case "uuid" if self._is_default_device:
                self._names.add(value)
            case "conversionrequired":
                self._converts = self._native_units and value.lower() in ("yes", "true")

    def read(self, fields: Sequence[str], source: Source) -> Findings:
        """Read the fields from the second on; the first is the timestamp. What cannot be read is reported."""
        findings = Findings()
        index, self._last = 1, len(fields)
        while self._last > 1 and not fields[self._last - 1]:
            self._last -= 1
        while index < self._last:
            key = fields[index]
            if ASSET.fullmatch(key):
                findings.is_asset = True
                break
            if not key:
                is_alone = self._begins_item(fields, index + 1)
                self._report(ProblemKind.EMPTY_KEY, source, index, "" if is_alone else f"|{fields[index + 1]}")
                index += 1 if is_alone else 2
            elif (item := self._find(key)) is not None or (item := self._learn(fields, index)) is not None:
                findings.is_of_machine = True
                index = self._read_item(item, fields, index, source, findings)
            else:
                index = self._skip_unknown(fields, index, source, findings)
        return findings

    def _local(self, key: str) -> str | None:
        """Return a key without its device, or None if it is another device's."""
        device, colon, local = key.partition(":")
        if colon and device in self._names:
            return local
        if colon or not self._is_default_device or key in self._model.foreign_keys:
            return None
        return key

    def _find(self, key: str) -> DataItem | None:
        item = self._model.by_key.get(key) if self._is_default_device else None
        if item is None and (local := self._local(key)) is not None:
            item = self._model.by_key.get(local) or self._conditions.get(local)
        return item

    def _learn(self, fields: Sequence[str], index: int) -> DataItem | None:
        """Return a new condition, if the model may lack one and an unknown key's fields have the shape of one."""
        local = self._local(fields[index])
        if self._model.complete or local is None or not has_shape_of_condition(fields, index + 1):
            return None
        self._conditions[local] = DataItem(local, (local,), Form.CONDITION)
        return self._conditions[local]

    def _skip_unknown(self, fields: Sequence[str], index: int, source: Source, findings: Findings) -> int:
        """Report the unknown key at ``index``. Return where to go on: behind its value, if it seems to have one."""
        key, behind = fields[index], index + 1
        if self._local(key) is None:
            findings.is_of_other_device = True
            self._report(ProblemKind.OTHER_DEVICE, source, index, key)
            return next((i for i in range(index + 2, len(fields)) if self._begins_item(fields, i)), len(fields))
        is_leftover = index > 1 and (behind >= len(fields) or self._begins_item(fields, behind))
        if is_leftover or self._begins_item(fields, behind, surely=True):
            self._report(ProblemKind.LEFTOVER, source, index, key)
            return behind
        findings.is_of_machine = True
        if behind < len(fields) and not is_unavailable(fields[behind]):
            findings.keys.append(key)
        self._report(ProblemKind.UNKNOWN_KEY if behind < len(fields) else ProblemKind.CUT_OFF, source, index, key)
        return behind + 1

    def _read_item(self, item: DataItem, fields: Sequence[str], index: int, source: Source, findings: Findings) -> int:
        """Read the data item at ``index``. Return where the next one begins."""
        begin = index + 1
        if begin >= len(fields):
            findings.keys.append(item.id)
            self._report(ProblemKind.CUT_OFF, source, index, fields[index])
            return begin
        end = self._end_of_item(item, fields, begin)
        if item.form is Form.CONDITION:
            self._read_condition(item, fields[begin:end], source, begin, findings)
            return end
        if not any(is_unavailable(text) for text in fields[begin : end if item.form in VALUE_LAST else begin + 1]):
            findings.keys.append(item.id)
            if item.form in LEFT_OUT and fields[begin]:
                self._report(LEFT_OUT[item.form], source, index, fields[index])
            elif self._is_series(item, fields, begin):
                self._report(ProblemKind.TIME_SERIES, source, index, fields[index])
                return begin + MAXIMUM_FIELDS[Form.TIME_SERIES]
        if item.form is Form.VALUE and item.constant is None:
            self._read_value(item, fields[begin], source, begin, findings)
        return end

    def _read_value(self, item: DataItem, text: str, source: Source, index: int, findings: Findings) -> None:
        if is_unavailable(text):
            if item.role is not None:
                findings.observations.append(Value(item, text))
        elif item.role is Role.PART_COUNT:
            if is_total(text):
                findings.observations.append(Value(item, text))
            else:
                self._report(ProblemKind.VALUE, source, index, f"{item.label}={text}")
        elif item.role is not None:
            is_valid = item.role not in WORDS or normalised(text) in WORDS[item.role]
            if not is_valid:
                self._report(ProblemKind.VALUE, source, index, f"{item.label}={text}")
            if is_valid or (text and item.role in UNKNOWN_IF_INVALID):
                findings.observations.append(Value(item, text))
        elif item.metric is not None and text:
            text = without_reset(text)
            number = float(text) if is_number(text) else math.nan
            if self._converts and item.conversion is not None:
                number = item.conversion.apply(number)
            if math.isfinite(number):
                findings.observations.append(Measurement(item, number))
            else:
                self._report(ProblemKind.VALUE, source, index, f"{item.label}={text}")

    def _read_condition(
        self, item: DataItem, fields: Sequence[str], source: Source, index: int, findings: Findings
    ) -> None:
        level = LEVELS.get(normalised(fields[0]))
        code = fields[1] if len(fields) > 1 else ""
        if level is None:
            findings.keys.append(item.id)
            self._report(ProblemKind.LEVEL, source, index, f"{item.label}={fields[0]}")
            if self._conditions.pop(item.id, None) is not None:
                # It only looked like a condition, so there was no fault.
                findings.observations.append(Condition(item, Level.UNAVAILABLE, "", "", ""))
            return
        if level is not Level.UNAVAILABLE:
            findings.keys.append(f"{item.id}|{code}")
        condition_id = code
        if self._model.version >= CONDITION_IDS_SINCE and ":" in code:
            code, _, condition_id = code.partition(":")
        text = fields[4] if len(fields) > 4 else ""
        findings.observations.append(Condition(item, level, code, condition_id, text))

    def _end_of_item(self, item: DataItem, fields: Sequence[str], begin: int) -> int:
        """Return where the item whose first field is at ``begin`` ends."""
        if item.form is Form.CONDITION:
            return self._end_of_condition(fields, begin)
        longest = begin + MAXIMUM_FIELDS.get(item.form, 1)
        if item.form is Form.ALARM and not is_unavailable(fields[begin]):
            return longest
        return self._next_item(fields, range(begin + 1, longest))

    def _end_of_condition(self, fields: Sequence[str], begin: int) -> int:
        level, longest = LEVELS.get(normalised(fields[begin])), begin + MAXIMUM_FIELDS[Form.CONDITION]
        if level is None:
            return begin + 1
        is_whole = self._last <= longest <= len(fields) or self._begins_item(fields, longest)
        if level in (Level.FAULT, Level.WARNING):
            if self._begins_item(fields, begin + 1) and self._begins_item(fields, begin + 3):
                return begin + 1
            # A fault's code may happen to be the name of a data item.
            return self._next_item(fields, range(begin + 1, longest), surely=is_whole)
        end = self._next_item(fields, range(begin + 1, longest))
        if not self._model.complete and end == begin + 3 and not is_number(fields[begin + 1]) and fields[begin + 1]:
            # A condition that is over seldom has a code: this is a key that a ready-made model lacks, and its value.
            return begin + 1
        return end

    def _next_item(self, fields: Sequence[str], indices: range, *, surely: bool = False) -> int:
        """Return the first of the indices at which an item begins or the line ends, or the one behind them."""
        for index in indices:
            if index >= len(fields) or self._begins_item(fields, index, surely=surely):
                return index
        return indices.stop

    def _begins_item(self, fields: Sequence[str], index: int, *, surely: bool = False) -> bool:
        """Return whether a field names a data item whose value follows: surely, if only few values would be valid."""
        if index + 1 >= self._last:
            return False
        item, text = self._find(fields[index]), fields[index + 1]
        if item is None:
            may_be_condition = not self._model.complete and self._local(fields[index])
            return bool(may_be_condition) and has_shape_of_condition(fields, index + 1)
        if is_unavailable(text):
            return True
        if item.form is Form.CONDITION:
            return normalised(text) in LEVELS
        if item.role is Role.PART_COUNT:
            return is_total(text)
        if item.role is not None and item.role in WORDS:
            return normalised(text) in WORDS[item.role]
        if item.metric is not None:
            return is_number(text)
        return not surely and self._find(text) is None

    def _is_series(self, item: DataItem, fields: Sequence[str], begin: int) -> bool:
        """Return whether an item that should be one number is followed by a time series."""
        if item.form is not Form.VALUE or (item.metric is None and item.role is not Role.PART_COUNT):
            return False
        if begin + 1 >= len(fields) or not fields[begin].isdecimal() or self._find(fields[begin + 1]) is not None:
            return False
        rate = fields[begin + 1]
        is_without_rate = not rate and begin + 2 < len(fields) and not self._begins_item(fields, begin + 2)
        return is_without_rate or is_number(rate)

    def _report(self, kind: ProblemKind, source: Source, index: int, detail: str) -> None:
        self._problems.add(kind, source.place(index), detail[:DETAIL])
