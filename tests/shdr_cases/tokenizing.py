"""Fields of a line: bars, quotation marks, backslashes, blanks, and keys that are missing or unknown."""

from tests.shdr_cases.case import Case, becomes_active
from tests.shdr_cases.devices import FULL

TOKENIZING: tuple[Case, ...] = (
    becomes_active(
        "quoted_field_with_an_escaped_bar",
        r'08:00:10|msg|C1|"door \| open"|execution|ACTIVE',
    ),
    becomes_active(
        "quoted_field_with_several_escaped_bars_at_its_ends",
        r'08:00:10|program|"\|a\|b\|"|execution|ACTIVE',
    ),
    becomes_active(
        "quoted_field_with_an_escaped_quote",
        r'08:00:10|program|"say \"stop\" now"|execution|ACTIVE',
    ),
    becomes_active(
        "blanks_between_the_closing_quote_and_the_bar",
        r'08:00:10|program| "a \| b"  | execution | ACTIVE ',
    ),
    becomes_active(
        "quote_that_is_never_closed",
        '08:00:10|program|"O1000|execution|ACTIVE',
        problems=('2:30 quote without an end: "O1000|execution|ACTIVE',),
        why="The field ends at the bar; a reader of CSV takes the rest of the line for the program.",
    ),
    becomes_active(
        "bar_within_quotes_that_is_not_escaped",
        '08:00:10|program|"O1000|execution|ACTIVE|block|X"',
        problems=('2:30 quote without an end: "O1000|execution|ACTIVE|block|X"',),
        why="Only an escaped bar is text, even within quotes.",
    ),
    becomes_active(
        "semicolons_and_percent_signs", "08:00:10|block|G1 X1; M30; %|execution|ACTIVE", why="mtconnect fanuc-driver#81"
    ),
    becomes_active(
        "escaped_closing_quote",
        r'08:00:10|program|"C:\NC\"|execution|ACTIVE',
        problems=('2:30 quote without an end: "C:\\NC\\"|execution|ACTIVE',),
        why="The backslash escapes the quote, so it is never closed, and the field ends at the bar.",
    ),
    becomes_active(
        "text_behind_a_closing_quote",
        '08:00:10|program|"O1000" (ROUGH)|execution|ACTIVE',
        problems=('2:30 quote without an end: "O1000" (ROUGH)|execution|ACTIVE',),
        why="The agent splits this into two fields and loses execution.",
    ),
    becomes_active(
        "quotes_within_a_field_are_text",
        '08:00:10|program|say "hi" to {x}|execution|ACTIVE',
    ),
    becomes_active(
        "backslashes_outside_quotes_are_text",
        r"08:00:10|program|C:\NC\O1000|execution|ACTIVE",
    ),
    Case(
        "escaped_bar_outside_quotes",
        ("08:00:00|execution|READY", r"08:00:10|program|a\|b|execution|ACTIVE", "08:00:20|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:20 unknown",
        devices=FULL,
        problems=("2:33 field that belongs to no key: b",),
        why="Outside quotes a backslash escapes nothing, and the text behind the bar belongs to no key.",
    ),
    becomes_active(
        "blanks_and_tabs_around_all_fields",
        " \t2024-03-04T08:00:10Z | execution \t|  ACTIVE\t",
    ),
    becomes_active(
        "empty_last_field",
        "08:00:10|execution|ACTIVE|program|",
        why="A trailing bar is an empty value, not a missing one.",
    ),
    becomes_active(
        "empty_field_in_between",
        "08:00:10|program||execution|ACTIVE",
    ),
    becomes_active(
        "key_without_a_value_at_the_end",
        "08:00:10|execution|ACTIVE|program",
        problems=("2:39 key without a value: program",),
        why="The line was cut off; the rest of it counts.",
    ),
    becomes_active(
        "empty_key",
        "08:00:10||5|execution|ACTIVE",
        problems=("2:22 value without a key: |5",),
        why="It takes its value with it.",
    ),
    Case(
        "line_without_a_timestamp",
        ("08:00:00|execution|READY", "|execution|ACTIVE", "08:00:20|execution|INTERRUPTED"),
        states="08:00:00 idle, 08:00:20 delayed, 08:10:20 unknown",
        problems=("2:1 invalid timestamp: '' is no whole instant",),
        why="An agent stamps it on arrival, which a log does not know.",
    ),
    becomes_active(
        "key_that_the_model_does_not_know",
        "08:00:10|bad|ignore|dummy|1244|execution|ACTIVE",
        problems=("2:22 unknown key: bad", "2:33 unknown key: dummy"),
        why="Each takes one field with it.",
    ),
    becomes_active(
        "unknown_key_whose_value_is_a_key",
        "08:00:10|bad|mode|execution|ACTIVE",
        problems=("2:22 unknown key: bad",),
        why="An unknown key takes one field with it, as in the first version of the protocol.",
    ),
    becomes_active(
        "value_that_begins_with_an_asterisk_or_at_sign",
        "08:00:10|program|* O1 *|block|@100|execution|ACTIVE",
        why="Only a line can begin with an asterisk, and only a key with an at sign.",
    ),
    Case(
        "a_value_with_a_line_break_makes_a_line_that_begins_with_asterisks",
        ("08:00:00|execution|READY", "08:00:10|program|{A = 1", "**START;Serial = P1;}", "08:00:20|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:20 producing, 08:10:20 unknown",
        devices=FULL,
    ),
    Case(
        "empty_lines_and_blank_lines",
        ("", "08:00:00|execution|ACTIVE", "   ", "", "08:01:00|execution|READY"),
        states="08:00:00 producing, 08:01:00 idle, 08:11:00 unknown",
    ),
)
