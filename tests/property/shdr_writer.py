"""Writes what a machine reported as lines of SHDR, in every way that the standard allows."""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TypeAlias

from services.gateway.mtconnect.problems import ProblemKind
from tests.property.shdr_devices import OTHER_DEVICE, Device, Item, Kind
from tests.property.shdr_meanings import SECOND_US, WORDS, Change, Meaning, Moment, Total

FIELDS = {Kind.CONDITION: 5, Kind.MESSAGE: 2, Kind.ALARM: 5, Kind.ASSET_EVENT: 2, Kind.TIME_SERIES: 3}
LEFT_OUT = {
    Kind.TIME_SERIES: ProblemKind.TIME_SERIES,
    Kind.DATA_SET: ProblemKind.DATA_SET,
    Kind.VECTOR: ProblemKind.DATA_SET,
}
FREE_TEXT = (Kind.PROGRAM, Kind.TEXT)
CHECKED = (*WORDS, Kind.COUNTER, Kind.EACH, Kind.NUMBER, Kind.CONDITION)
"""What cannot have any text as its value."""
BLANKS = ("", "", "", " ", "\t", "  ")
SKEW_US = 60 * SECOND_US
ZONES = (UTC, None, timezone(timedelta(hours=9)), timezone(-timedelta(hours=3, minutes=30)))
NOISE = (
    ("* PING",),
    ("* PONG 10000",),
    ("* shdrVersion: 2.0",),
    ("*",),
    ("",),
    ("  ",),
    ("{at}|@ASSET@|T1|CuttingTool|<CuttingTool id='1|2'/>",),
    ("{at}|@REMOVE_ASSET@|T1",),
    ("{at}|@REMOVE_ALL_ASSETS@|CuttingTool", "{at}|@UPDATE_ASSET@|T1|OverallToolLength|323.65|CuttingDiameter|76.21"),
    (
        "{at}|@ASSET@|T2|File|--multiline--0FED07",
        "<File>",
        "execution|ACTIVE",
        '"',
        "",
        "</File>",
        "--multiline--0FED07",
    ),
)


def needs_quotes(text: str) -> bool:
    return "|" in text or text.startswith('"')


def quoted(text: str) -> str:
    escaped = "".join(f"\\{character}" if character in '\\"|' else character for character in text)
    return f'"{escaped}"'


Written: TypeAlias = tuple[Meaning, list[str]]
"""A meaning and its fields behind the key."""


@dataclass(slots=True)
class Entry:
    """A line; ``at_us`` is None if it observes nothing, ``is_known`` is whether it names something available."""

    text: str
    at_us: int | None = None
    is_known: bool = False


@dataclass(slots=True)
class Log:
    """The lines of a file, and how often which problem of theirs must be reported."""

    entries: list[Entry] = field(default_factory=list)
    problems: Counter[ProblemKind] = field(default_factory=Counter)

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.entries]


class LogWriter:
    """Writes the log of one connection."""

    def __init__(self, rng: Random, device: Device, *, noise: float = 0.15) -> None:
        """Set the device; before a line there is something else with the probability ``noise``."""
        self._rng = rng
        self._noise = noise
        self._log = Log()
        self._prefixes = [f"{name}:" for name in device.names]
        self._is_default = True
        self._is_native = True
        self._keys = {key for item in device.items for key in item.keys}

    def write(self, moments: Sequence[Moment]) -> Log:
        """Write moments in their order."""
        for moment in moments:
            while self._rng.random() < self._noise:
                self._write_noise(moment.at_us)
            for line in self._shared_out(moment.meanings):
                fields = [field for meaning, fields in line for field in (self._key(meaning.item), *fields)]
                if self._rng.random() < self._noise and not self._is_open(*line[-1]):
                    fields += self._of_other_device()
                self._log.problems.update(kind for meaning, _ in line if (kind := problem_of(meaning)))
                self._add(fields, moment.at_us, is_known=any(is_known(meaning) for meaning, _ in line))
        return self._log

    def _shared_out(self, meanings: Sequence[Meaning]) -> Iterator[list[Written]]:
        """Share the meanings of one instant out to lines."""
        line: list[Written] = []
        for meaning in meanings:
            written = meaning, self._fields(meaning)
            if line and (self._rng.random() < 0.3 or not self._can_follow(*line[-1], *written)):
                yield line
                line = []
            line.append(written)
        yield line

    def _can_follow(self, before: Meaning, before_fields: list[str], meaning: Meaning, fields: list[str]) -> bool:
        """Return whether a line that goes on with a meaning can be read in one way only.

        An item that may have more fields ends where a key is followed by a value that it could have. So nothing else is
        on a line with a text that is a key. Behind such an item no unknown key is found, and a text that follows any
        key may as well be a fault's.
        """
        if not self._keys.isdisjoint((*before_fields, *fields)):
            return False
        if self._is_open(before, before_fields):
            may_be_text = isinstance(before.value, Change) and before.value.level in ("FAULT", "WARNING")
            return meaning.item.kind is not Kind.UNKNOWN and not (may_be_text and meaning.item.kind not in CHECKED)
        return True

    def _is_open(self, meaning: Meaning, fields: list[str]) -> bool:
        """Return whether an item could have more fields, or its fields more than one meaning if others follow."""
        return len(fields) < FIELDS.get(meaning.item.kind, 1) or not self._keys.isdisjoint(fields)

    def _fields(self, meaning: Meaning) -> list[str]:
        """Write the fields behind a key."""
        rng, value = self._rng, meaning.value
        match value:
            case None:
                word = self._word("UNAVAILABLE")
                is_last = meaning.item.kind in (Kind.MESSAGE, Kind.ASSET_EVENT) and rng.random() < 0.5
                return ["", word] if is_last else [word]
            case Total(total, trigger):
                return [f"{total}{rng.choice(('', '.0', '.000000'))}{':' if trigger else ''}{self._word(trigger)}"]
            case Change():
                return self._change(value)
            case float():
                number = value if self._is_native else value * meaning.item.scale + meaning.item.offset
                sign, text = rng.choice(("", "+")) if number >= 0 else "", repr(number)
                return [sign + rng.choice((text, text.upper(), text.removesuffix("0"), text.removeprefix("0") or "0"))]
            case str():
                return [value if meaning.item.kind in FREE_TEXT else self._word(value)]
        return list(value)

    def _change(self, change: Change) -> list[str]:
        code = f"{change.code}:{change.id}" if change.id != change.code else change.code
        fields = [self._word(change.level), code, change.severity, change.qualifier, change.text]
        # A fault's code may be a key only if the condition is whole.
        while not fields[-1] and self._rng.random() < 0.8 and code not in self._keys:
            fields.pop()
        return fields

    def _word(self, word: str) -> str:
        return self._rng.choice((word, word, word.lower(), word.capitalize()))

    def _key(self, item: Item) -> str:
        key = self._rng.choice(item.keys)
        return key if self._is_default and self._rng.random() < 0.7 else self._rng.choice(self._prefixes) + key

    def _of_other_device(self) -> list[str]:
        self._log.problems[ProblemKind.OTHER_DEVICE] += 1
        key = self._rng.choice((*sorted(self._keys), "execution"))
        return [key if not self._is_default else f"{OTHER_DEVICE}:{key}", self._rng.choice(("ACTIVE", "1", "x"))]

    def _add(self, fields: Sequence[str], at_us: int, *, is_known: bool) -> None:
        texts = [self._timestamp(at_us), *(self._field(field) for field in fields)]
        text = "|".join(self._rng.choice(BLANKS) + text + self._rng.choice(BLANKS) for text in texts)
        self._log.entries.append(Entry(text + self._rng.choice(("", "", "|")), at_us, is_known))

    def _field(self, field: str) -> str:
        return quoted(field) if needs_quotes(field) or self._rng.random() < 0.1 else field

    def _timestamp(self, at_us: int) -> str:
        rng, zone = self._rng, self._rng.choice(ZONES)
        moment = datetime.fromtimestamp(at_us // SECOND_US, zone or UTC)
        digits = f"{at_us % SECOND_US:06}{rng.choice(('', '0', '999'))}"
        fraction = rng.choice((digits, digits.rstrip("0") if len(digits) == 6 else digits))
        name = moment.isoformat()[19:] if zone else ""
        ending = "Z" if zone is UTC else name
        duration = rng.choice(("", "", "", "", "@540.0", "@60"))
        return f"{moment.isoformat()[:19]}{'.' if fraction else ''}{fraction}{ending}{duration}"

    def _write_noise(self, at_us: int) -> None:
        """Write what observes nothing of the machine."""
        rng = self._rng
        match rng.randrange(6):
            case 0:
                self._is_default = rng.random() < 0.7
                self._note(f"* device: {rng.choice(self._prefixes)[:-1] if self._is_default else OTHER_DEVICE}")
            case 1:
                self._is_native = rng.random() < 0.5
                self._note(f"*{rng.choice(BLANKS)}conversionRequired: {'yes' if self._is_native else 'no'}")
            case 2 if self._is_default:
                self._prefixes.append(f"U{rng.randrange(100)}:")
                self._note(f"* uuid: {self._prefixes[-1][:-1]}")
            case 3:
                self._add(self._of_other_device(), at_us, is_known=False)
                self._log.entries[-1].at_us = None
            case _:
                for text in rng.choice(NOISE):
                    self._note(text.format(at=self._timestamp(at_us)))

    def _note(self, text: str) -> None:
        self._log.entries.append(Entry(text))


def problem_of(meaning: Meaning) -> ProblemKind | None:
    """Return what must be reported of a meaning, if anything."""
    if meaning.item.kind is Kind.UNKNOWN:
        return ProblemKind.UNKNOWN_KEY
    return LEFT_OUT.get(meaning.item.kind) if meaning.value is not None else None


def is_known(meaning: Meaning) -> bool:
    """Return whether a meaning is anything but UNAVAILABLE."""
    return meaning.value is not None and not (
        isinstance(meaning.value, Change) and meaning.value.level == "UNAVAILABLE"
    )


def disturb(rng: Random, entries: list[Entry]) -> None:
    """Let neighbours of less than a minute change places, as the clocks of a machine and its adapter differ.

    A line that says that nothing is known may begin a connection; what is older behind it is from before that.
    """
    place = 0
    while place + 1 < len(entries):
        one, other = entries[place : place + 2]
        gap_us = (other.at_us or 0) - (one.at_us or 0)
        if one.is_known and other.is_known and 0 < gap_us <= SKEW_US and rng.random() < 0.2:
            entries[place : place + 2] = other, one
            place += 1
        place += 1


def to_bytes(rng: Random, texts: Sequence[str]) -> bytes:
    """Write a file: in UTF-8 with or without a mark, or in CP949; with any line ends; compressed or not."""
    is_korean, end = rng.random() < 0.3, rng.choice((b"\n", b"\r\n"))
    content = end.join(encoded(text, is_korean=is_korean) for text in texts) + rng.choice((b"", end))
    if rng.random() < 0.3:
        content = b"\xef\xbb\xbf" + content
    return gzip.compress(content, 1) if rng.random() < 0.3 else content


def encoded(text: str, *, is_korean: bool) -> bytes:
    """Encode a line as CP949 if that is wanted and the bytes are not a text in UTF-8, too, for which they are taken."""
    if is_korean:
        try:
            raw = text.encode("cp949")
        except UnicodeEncodeError:
            return text.encode()
        try:
            raw.decode()
        except UnicodeDecodeError:
            return raw
    return text.encode()


def write_files(rng: Random, device: Device, moments: Sequence[Moment]) -> tuple[list[bytes], Counter[ProblemKind]]:
    """Write moments into up to three files, in any order, as no two have an instant in common."""
    problems: Counter[ProblemKind] = Counter()
    cuts = sorted(rng.randrange(len(moments) + 1) for _ in range(rng.choice((0, 0, 1, 2))))
    files = []
    for start, end in zip([0, *cuts], [*cuts, len(moments)], strict=True):
        log = LogWriter(rng, device).write(moments[start:end])
        disturb(rng, log.entries)
        problems += log.problems
        files.append(to_bytes(rng, log.texts))
    rng.shuffle(files)
    return files, problems
