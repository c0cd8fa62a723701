"""When a machine was heard, and in which order lines take effect."""

from tests.shdr_cases.case import Case
from tests.shdr_cases.devices import FULL

HEARD: tuple[Case, ...] = (
    Case(
        "hold_ends_600_s_after_the_last_line_and_the_value_survives_the_silence",
        ("08:00:00|execution|ACTIVE", "08:20:00|Srpm|5"),
        states="08:00:00 producing, 08:10:00 unknown, 08:20:00 producing, 08:30:00 unknown",
    ),
    Case(
        "silence_of_exactly_600_s_is_no_gap",
        ("08:00:00|execution|ACTIVE", "08:10:00|Srpm|5", "08:20:00.000|Srpm|6"),
        states="08:00:00 producing, 08:30:00 unknown",
    ),
    Case(
        "silence_of_a_millisecond_more_is_a_gap",
        ("08:00:00|execution|ACTIVE", "08:10:00.001|Srpm|5"),
        states="08:00:00 producing, 08:10:00 unknown, 08:10:00.001 producing, 08:20:00.001 unknown",
    ),
    Case(
        "every_kind_of_observation_shows_that_the_machine_was_heard",
        (
            "08:00:00|execution|ACTIVE",
            "08:09:00|msg|C1|hello",
            "08:18:00|system|NORMAL||||",
            "08:27:00|vib|3|100|1 2 3",
            "08:36:00|vars|a=1",
            "08:45:00|wpo|G54={X=1}",
            "08:54:00|pos3|1 2 3",
            "09:03:00|program|O1000",
            "09:12:00|Xload|UNAVAILABLE",
            "09:21:00|achg|CuttingTool|T1",
        ),
        states="08:00:00 producing, 09:31:00 unknown",
        devices=FULL,
        problems=(
            "4:22 time series: vib",
            "5:22 data set, table or position in space: vars",
            "6:22 data set, table or position in space: wpo",
            "7:22 data set, table or position in space: pos3",
        ),
        why="Also that something is UNAVAILABLE, and that an asset changed.",
    ),
    Case(
        "protocol_lines_and_assets_say_nothing_of_the_machine",
        (
            "08:00:00|execution|ACTIVE",
            "* PONG 10000",
            "08:09:00|@ASSET@|T1|CuttingTool|<CuttingTool/>",
            "* shdrVersion: 2",
            "08:18:00|@REMOVE_ASSET@|T1",
            "08:20:00|Xload|5",
        ),
        states="08:00:00 producing, 08:10:00 unknown, 08:20:00 producing, 08:30:00 unknown",
        devices=FULL,
    ),
    Case(
        "a_line_of_which_something_is_readable_counts_as_heard",
        ("08:00:00|execution|ACTIVE", "08:08:00|Xload|abc|program|O1", "08:16:00|program|O2|Xload"),
        states="08:00:00 producing, 08:26:00 unknown",
        devices=FULL,
        problems=("3:33 key without a value: Xload", "2:28 invalid value: Xload=abc"),
        why="Column 33 is the key without a value.",
    ),
    Case(
        "a_line_of_which_nothing_is_readable_is_not_heard",
        ("08:00:00|execution|ACTIVE", "2024-03-04T08:08:00Z", "08:09:00|", "2024-13-04T08:08:00Z|Xload|5", "Xload|5"),
        states="08:00:00 producing, 08:10:00 unknown",
        devices=FULL,
        problems=(
            "4:1 invalid timestamp: '2024-13-04T08:08:00Z': month must be in 1..12",
            "5:1 invalid timestamp: 'Xload' is no whole instant",
            "2 key without a value: 2024-03-04T08:08:00Z",
            "3 key without a value: 2024-03-04T08:09:00Z|",
        ),
    ),
    Case(
        "lines_that_were_written_late_take_effect_at_their_own_time",
        (
            "08:00:00|execution|READY",
            "08:00:40|execution|ACTIVE",
            "08:00:20|execution|INTERRUPTED",
            "08:01:00|execution|READY",
        ),
        states="08:00:00 idle, 08:00:20 delayed, 08:00:40 producing, 08:01:00 idle, 08:11:00 unknown",
    ),
    Case(
        "lines_of_one_timestamp_keep_their_order_in_the_file",
        (
            "08:00:00|execution|READY",
            "08:00:10|execution|ACTIVE",
            "08:00:10|execution|INTERRUPTED",
            "08:00:10|execution|READY",
        ),
        states="08:00:00 idle, 08:10:10 unknown",
    ),
    Case(
        "one_key_twice_on_a_line",
        ("08:00:00|execution|READY|execution|ACTIVE|Xload|106|Xload|112",),
        states="08:00:00 producing, 08:10:00 unknown",
        devices=FULL,
        readings=(112.0,),
        why="A reading is identified by its time and metric, so only the last one stays.",
    ),
)
