"""Messages, alarms, assets and blocks of lines."""

from tests.shdr_cases.case import Case, becomes_active
from tests.shdr_cases.devices import FULL

MESSAGES: tuple[Case, ...] = (
    becomes_active(
        "messages_before_an_event",
        "08:00:10|msg|C1|hello|msg2||bye|execution|ACTIVE",
    ),
    becomes_active(
        "message_whose_text_is_a_key",
        "08:00:10|msg|execution|READY|execution|ACTIVE",
        why="The code is 'execution', the text 'READY'.",
    ),
    becomes_active(
        "message_whose_code_is_a_key_and_text_a_state",
        "08:00:10|execution|ACTIVE|msg|execution|READY",
        why="A reader of pairs ends at READY.",
    ),
    becomes_active(
        "unavailable_message",
        "08:00:10|msg||UNAVAILABLE|execution|ACTIVE",
    ),
    Case(
        "messages_sent_as_pairs",
        ("08:00:00|execution|READY", "08:00:10|msg|1848|msg2|1318|execution|ACTIVE", "08:00:20|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:20 unknown",
        devices=FULL,
        why="A common fault of adapters: the state is still found.",
    ),
    becomes_active(
        "alarm_takes_five_fields",
        "08:00:10|alarm|FAILURE|NC100|CRITICAL|ACTIVE|spindle|execution|ACTIVE",
        why="Conditions replaced alarms in version 1.1; old adapters still send them.",
    ),
    becomes_active(
        "alarm_whose_fields_look_like_pairs",
        "08:00:10|execution|ACTIVE|alarm|FAILURE|execution|READY|ACTIVE|spindle",
        why="A reader of pairs ends at READY.",
    ),
    becomes_active(
        "asset_changed_takes_two_fields",
        "08:00:10|achg|CuttingTool|T1|execution|ACTIVE",
    ),
    becomes_active(
        "asset_removed_takes_two_fields",
        "08:00:10|arem|CuttingTool|T2|execution|ACTIVE",
    ),
    Case(
        "multi_line_asset",
        (
            "08:00:00|execution|READY",
            "08:00:10|@ASSET@|T1|CuttingTool|--multiline--0FED07",
            "<CuttingTool>",
            "a|b|c",
            "* x: y",
            "--multiline--OTHER",
            "</CuttingTool>",
            "--multiline--0FED07",
            "08:00:20|execution|ACTIVE",
        ),
        states="08:00:00 idle, 08:00:20 producing, 08:10:20 unknown",
        devices=FULL,
    ),
    Case(
        "multi_line_command",
        (
            "08:00:00|execution|READY",
            "* deviceModel: --multiline--AAAA",
            '<Device id="x" uuid="y">',
            "  <something/>",
            "</Device>",
            "--multiline--AAAA",
            "08:00:20|execution|ACTIVE",
        ),
        states="08:00:00 idle, 08:00:20 producing, 08:10:20 unknown",
        devices=FULL,
    ),
    Case(
        "multi_line_asset_without_an_end",
        (
            "08:00:00|execution|READY",
            "08:00:10|@ASSET@|T1|CuttingTool|--multiline--0FED07",
            "<CuttingTool>",
            "08:00:20|execution|ACTIVE",
            "08:00:30|execution|INTERRUPTED",
        ),
        states="08:00:00 idle, 08:00:20 producing, 08:00:30 delayed, 08:10:30 unknown",
        devices=FULL,
        problems=("4 block of lines without an end: --multiline--0FED07",),
        why="An observation shows that the block was cut off.",
    ),
)
