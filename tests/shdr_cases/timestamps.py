"""Timestamps."""

from tests.shdr_cases.case import Case

TIMESTAMPS: tuple[Case, ...] = (
    Case(
        "timestamp_without_a_fraction",
        ("08:00:00|execution|READY", "08:00:10|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:10 unknown",
    ),
    Case(
        "timestamp_without_z",
        ("08:00:00|execution|READY", "2024-03-04T08:00:10.5|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10.5 producing, 08:10:10.5 unknown",
    ),
    Case(
        "timestamp_with_one_digit",
        ("08:00:00|execution|READY", "08:00:10.5|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10.5 producing, 08:10:10.5 unknown",
    ),
    Case(
        "timestamp_with_nine_digits",
        ("08:00:00|execution|READY", "08:00:10.123456789|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10.123456 producing, 08:10:10.123456 unknown",
    ),
    Case(
        "timestamp_with_an_offset",
        ("08:00:00|execution|READY", "2024-03-04T17:00:10+09:00|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:10 unknown",
        why="The agent ignores offsets.",
    ),
    Case(
        "timestamp_with_an_offset_without_a_colon_across_midnight",
        ("08:00:00|execution|READY", "2024-03-03T22:30:10.25-0930|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10.25 producing, 08:10:10.25 unknown",
    ),
    Case(
        "timestamp_with_a_duration",
        ("08:00:00|execution|READY", "2024-03-04T08:00:10.5Z@100.0|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10.5 producing, 08:10:10.5 unknown",
    ),
    Case(
        "timestamp_with_a_duration_behind_an_offset",
        ("08:00:00|execution|READY", "2024-03-04T17:00:10+09:00@3600|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:10 unknown",
    ),
    Case(
        "bad_timestamps",
        (
            "08:00:00|execution|READY",
            "2024-02-30T08:00:10Z|execution|ACTIVE",
            "25:00:10|execution|ACTIVE",
            "5000|execution|ACTIVE",
            "04/03/2024 08:00:10|execution|ACTIVE",
            "1970-01-01T00:00:10Z|execution|ACTIVE",
            "08:01:00|execution|INTERRUPTED",
        ),
        states="08:00:00 idle, 08:01:00 delayed, 08:11:00 unknown",
        problems=(
            "2:1 invalid timestamp: '2024-02-30T08:00:10Z': day is out of range for month",
            "3:1 invalid timestamp: '2024-03-04T25:00:10Z': hour must be in 0..23",
            "4:1 invalid timestamp: '5000' is no whole instant, or counts from an unknown start",
            "5:1 invalid timestamp: '04/03/2024 08:00:10' is no whole instant",
            "6:1 invalid timestamp: '1970-01-01T00:00:10Z': it is before 2000",
        ),
        why="5000 counts from a start that a log does not have; 1970 is a clock that was never set.",
    ),
)
