"""Parses many RFC 3339 instants at once, with numpy. Pure.

It reads what gateways write: the forms of RFC 3339 in capitals with at most six digits of a second. Everything else is
left to ``instants``, which decides what is valid.
"""

import numpy as np
import numpy.typing as npt

from schemas.wire.instants import FIRST_US, LAST_US

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.int64]

DATE_TIME = 19
"""Characters of the date and the time up to the second."""
DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
SIGNS = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":"}
MOST_FRACTION = 6
SHORTEST, LONGEST = DATE_TIME + 1, DATE_TIME + 1 + MOST_FRACTION + 6
YEARS = 10_000


def months() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return each month's first day since the Unix epoch, and its length in days, at index 16 x year + month."""
    firsts = np.arange("0000-01", "10000-02", dtype="M8[M]").astype("M8[D]").astype(np.int32)
    index = np.add.outer(16 * np.arange(YEARS), np.arange(1, 13)).ravel()
    first_day, length = np.zeros(16 * YEARS, np.int32), np.zeros(16 * YEARS, np.uint8)
    first_day[index], length[index] = firsts[:-1], np.diff(firsts)
    length[:16] = 0
    return first_day, length


FIRST_DAY, LENGTH = months()
UNKNOWN = np.iinfo(np.int64).min
"""Stands for an instant that could not be parsed here."""


def parse_texts(texts: list[str]) -> Ints:
    """Return microseconds since the Unix epoch, and UNKNOWN where a text is not in one of the forms read here.

    Raises:
        TypeError: one of the texts is not a string.
    """
    joined = "".join(texts)
    if not joined.isascii():
        return np.full(len(texts), UNKNOWN, np.int64)
    characters = np.frombuffer(joined.encode(), np.uint8)
    found = set(map(len, texts))
    if len(found) == 1 and SHORTEST <= min(found) <= LONGEST:
        return parse_matrix(characters.reshape(len(texts), -1))
    parsed = np.full(len(texts), UNKNOWN, np.int64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    starts = np.cumsum(lengths) - lengths
    for length in found & set(range(SHORTEST, LONGEST + 1)):
        own = np.flatnonzero(lengths == length)
        parsed[own] = parse_matrix(characters[starts[own][:, np.newaxis] + np.arange(length)])
    return parsed


def parse_matrix(characters: npt.NDArray[np.uint8]) -> Ints:
    """Parse texts of equal length, one per row of a matrix of ASCII codes."""
    columns = np.ascontiguousarray(characters.T)
    digits = columns - np.uint8(ord("0"))
    ends_in_z = columns[-1] == ord("Z")
    if ends_in_z.all():
        return parse_columns(columns, digits, zone=1)
    parsed = np.full(len(characters), UNKNOWN, np.int64)
    for own, zone in ((ends_in_z, 1), (~ends_in_z, 6)):
        if own.any() and len(columns) >= DATE_TIME + zone:
            parsed[own] = parse_columns(columns[:, own], digits[:, own], zone)
    return parsed


def parse_columns(columns: npt.NDArray[np.uint8], digits: npt.NDArray[np.uint8], zone: int) -> Ints:
    """Parse the columns of texts that end in a zone of ``zone`` characters: ``Z``, or an offset such as +09:00."""
    valid = (digits[DIGITS] <= 9).all(axis=0)
    for place, sign in SIGNS.items():
        valid &= columns[place] == ord(sign)
    fraction, fraction_valid = parse_fraction(columns, digits, DATE_TIME, len(columns) - zone)
    offset, offset_valid = parse_offset(columns[-zone:], digits[-zone:])
    number = digits[:DATE_TIME].astype(np.int32)
    year = number[0] * 1000 + number[1] * 100 + number[2] * 10 + number[3]
    month, day, hour, minute, second = (number[n] * 10 + number[n + 1] for n in (5, 8, 11, 14, 17))
    valid &= fraction_valid & offset_valid & (hour <= 23) & (minute <= 59) & (second <= 59) & (month <= 12) & (day >= 1)
    index = np.where(valid, year * 16 + month, 0)
    valid &= day <= LENGTH[index]
    days = (FIRST_DAY[index] + day - 1).astype(np.int64)
    us = (days * 86_400 + hour * 3600 + (minute - offset) * 60 + second) * 1_000_000 + fraction
    return np.where(valid & (us >= FIRST_US) & (us <= LAST_US), us, UNKNOWN)


def parse_fraction(
    columns: npt.NDArray[np.uint8], digits: npt.NDArray[np.uint8], start: int, end: int
) -> tuple[npt.NDArray[np.int32], Bools]:
    """Return the microseconds that a second's fraction stands for, and where it is valid; there need not be one."""
    us = np.zeros(columns.shape[1], np.int32)
    if start == end:
        return us, np.ones(columns.shape[1], bool)
    places = range(start + 1, end)
    if not 1 <= len(places) <= MOST_FRACTION:
        return us, np.zeros(columns.shape[1], bool)
    valid = (columns[start] == ord(".")) & (digits[start + 1 : end] <= 9).all(axis=0)
    for n, place in enumerate(places, start=1):
        us += digits[place].astype(np.int32) * 10 ** (MOST_FRACTION - n)
    return us, valid


def parse_offset(columns: npt.NDArray[np.uint8], digits: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], Bools]:
    """Return the minutes by which local time is ahead of UTC, and where the offset is valid."""
    if len(columns) == 1:
        return np.zeros(columns.shape[1], np.int32), columns[0] == ord("Z")
    number = digits.astype(np.int32)
    hours, minutes = number[1] * 10 + number[2], number[4] * 10 + number[5]
    valid = (columns[0] == ord("+")) | (columns[0] == ord("-"))
    valid &= (columns[3] == ord(":")) & (digits[[1, 2, 4, 5]] <= 9).all(axis=0) & (hours <= 23) & (minutes <= 59)
    sign = np.where(columns[0] == ord("-"), np.int32(-1), np.int32(1))
    return sign * (hours * 60 + minutes), valid
