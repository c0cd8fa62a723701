"""Bytes: line ends, compression and encodings."""

import gzip

from tests.shdr_cases.case import IDLE_THEN_PRODUCING, Case, becomes_active, lines
from tests.shdr_cases.devices import FULL

TWO_LINES = lines("08:00:00|execution|READY", "08:00:10|program|O1|execution|ACTIVE")
TWO_LINES_OF_WINDOWS = lines("08:00:00|execution|READY", "08:00:10|program|O1|execution|ACTIVE", end="\r\n")


def fault(text: str) -> str:
    """Write the lines of a fault with a Korean text."""
    texts = (
        "08:00:00|execution|READY",
        f"08:00:10|system|FAULT|100|||{text}|msg|C1|원점 복귀",
        "08:00:20|system|NORMAL|100|||",
    )
    return lines(*texts).decode()


FAULT_AND_END = "08:00:00 idle, 08:00:10 faulted, 08:00:20 idle, 08:10:20 unknown"

FILES: tuple[Case, ...] = (
    Case("crlf", TWO_LINES_OF_WINDOWS, states=IDLE_THEN_PRODUCING, devices=FULL),
    Case("byte_order_mark", b"\xef\xbb\xbf" + TWO_LINES, states=IDLE_THEN_PRODUCING, devices=FULL),
    Case("no_newline_at_the_end", TWO_LINES[:-1], states=IDLE_THEN_PRODUCING, devices=FULL),
    Case("gzip", gzip.compress(TWO_LINES, mtime=0), states=IDLE_THEN_PRODUCING, devices=FULL),
    Case("utf_16_is_refused_by_name", TWO_LINES.decode().encode("utf-16"), devices=FULL, refused="is in UTF-16"),
    Case(
        "utf_16_big_endian_is_refused_by_name",
        b"\xfe\xff" + TWO_LINES.decode().encode("utf-16-be"),
        devices=FULL,
        refused="is in UTF-16",
    ),
    Case(
        "korean_in_utf-8",
        fault("비상정지").encode(),
        states=FAULT_AND_END,
        devices=FULL,
        reasons={"08:00:15": "system 100 비상정지"},
    ),
    Case(
        "korean_in_euc-kr",
        fault("비상정지").encode("euc-kr"),
        states=FAULT_AND_END,
        devices=FULL,
        reasons={"08:00:15": "system 100 비상정지"},
    ),
    Case(
        "korean_in_cp949",
        fault("똠방 스위치 펲").encode("cp949"),
        states=FAULT_AND_END,
        devices=FULL,
        reasons={"08:00:15": "system 100 똠방 스위치 펲"},
        why="The first syllable is not in EUC-KR, and its second byte is an ASCII letter.",
    ),
    Case(
        "utf_8_and_cp949_in_one_file",
        lines("08:00:00|execution|READY", "08:00:10|system|FAULT|1|||도어 열림")
        + lines("08:00:20|system|NORMAL", "08:00:30|system|FAULT|2|||과부하").decode().encode("cp949"),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:20 idle, 08:00:30 faulted, 08:10:30 unknown",
        devices=FULL,
        reasons={"08:00:15": "system 1 도어 열림", "08:00:35": "system 2 과부하"},
        why="As of two adapters: each line is decoded by itself.",
    ),
    Case(
        "bytes_of_no_encoding_spoil_only_their_field",
        lines("08:00:00|execution|READY") + b"2024-03-04T08:00:10Z|program|\xff\xfe\xff\x80|execution|ACTIVE\n",
        states=IDLE_THEN_PRODUCING,
        devices=FULL,
        problems=("2:30 text in an unknown encoding: b'\\xff\\xfe\\xff\\x80|execution|ACTIV'",),
    ),
    becomes_active(
        "only_line_feeds_end_lines",
        "08:00:10|program|a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g|execution|ACTIVE",
        why="str.splitlines() would cut the line six times.",
    ),
    Case(
        "last_line_cut_off_in_its_value",
        lines("08:00:00|execution|READY", "08:00:10|Xload|5", "08:00:20|execution|ACTI")[:-1],
        states="08:00:00 idle, 08:00:20 unknown",
        devices=FULL,
        problems=("3:32 invalid value: execution=ACTI",),
        readings=(5.0,),
    ),
)
