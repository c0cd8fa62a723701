"""Faults that begin and end."""

from tests.shdr_cases.case import Case, after_fault

CONDITIONS: tuple[Case, ...] = (
    after_fault(
        "short_normal_ends_all",
        "08:00:20|system|FAULT|200",
        "08:00:30|system|normal",
        states="08:00:30 idle, 08:10:30 unknown",
    ),
    after_fault(
        "short_unavailable_ends_all",
        "08:00:20|system|FAULT|200",
        "08:00:30|system|UNAVAILABLE",
        states="08:00:30 idle, 08:10:30 unknown",
    ),
    after_fault(
        "unavailable_with_empty_fields_ends_all",
        "08:00:20|system|UNAVAILABLE||||",
        states="08:00:20 idle, 08:10:20 unknown",
    ),
    after_fault(
        "warning_of_the_same_code_replaces_the_fault",
        "08:00:20|system|WARNING|100|||WARM",
        states="08:00:20 idle, 08:10:20 unknown",
    ),
    after_fault(
        "short_warning_of_the_same_code_replaces_the_fault",
        "08:00:20|system|WARNING|100",
        states="08:00:20 idle, 08:10:20 unknown",
    ),
    after_fault(
        "warning_of_another_code_leaves_the_fault",
        "08:00:20|system|WARNING|200|||WARM",
        "08:00:30|system|NORMAL|200",
        "08:00:40|system|NORMAL|100",
        states="08:00:40 idle, 08:10:40 unknown",
    ),
    after_fault(
        "warning_without_a_code_leaves_the_fault_of_a_code",
        "08:00:20|system|WARNING||||x",
        "08:00:30|system|NORMAL",
        states="08:00:30 idle, 08:10:30 unknown",
    ),
    after_fault(
        "normal_with_a_code_ends_that_one",
        "08:00:20|system|FAULT|200|||B",
        "08:00:30|system|NORMAL|100|||",
        "08:00:40|system|NORMAL|200|||",
        states="08:00:40 idle, 08:10:40 unknown",
    ),
    after_fault(
        "normal_with_fewer_fields_than_six",
        "08:00:20|system|NORMAL|100|4|5",
        states="08:00:20 idle, 08:10:20 unknown",
    ),
    after_fault(
        "normal_with_a_code_that_is_not_active",
        "08:00:20|system|NORMAL|999|||",
        "08:00:30|system|NORMAL||||",
        states="08:00:30 idle, 08:10:30 unknown",
        why="It clears nothing. The agent clears everything there.",
    ),
    after_fault(
        "the_same_fault_twice_is_cleared_once",
        "08:00:20|system|FAULT|100|HIGH|LOW|HOT",
        "08:00:30|system|NORMAL|100",
        states="08:00:30 idle, 08:10:30 unknown",
    ),
    after_fault(
        "fault_without_a_code_beside_one_with_a_code",
        "08:00:20|system|FAULT||||X",
        "08:00:30|system|NORMAL|100",
        "08:00:40|system|NORMAL||||",
        states="08:00:40 idle, 08:10:40 unknown",
    ),
    after_fault(
        "levels_in_any_case",
        "08:00:20|system|Normal",
        "08:00:30|system|Fault|7",
        "08:00:40|system|unavailable",
        states="08:00:20 idle, 08:00:30 faulted, 08:00:40 idle, 08:10:40 unknown",
    ),
    after_fault(
        "unknown_level_is_reported_and_changes_nothing",
        "08:00:20|system|CLEARED|100|||x|program|O1",
        "08:00:30|system|NORMAL",
        states="08:00:30 idle, 08:10:30 unknown",
        problems=(
            "3:42 value without a key: |x",
            "3:37 unknown key: 100",
            "3:29 invalid level of a condition: system=CLEARED",
        ),
    ),
    after_fault(
        "empty_level_changes_nothing",
        "08:00:20|system|||||",
        "08:00:30|system|NORMAL",
        states="08:00:30 idle, 08:10:30 unknown",
        problems=("3:29 invalid level of a condition: system=",),
    ),
    after_fault(
        "several_conditions_on_a_line",
        "08:00:20|system|NORMAL|||||servo|FAULT|7|||SERVO|logic|WARNING|8|||LOGIC",
        "08:00:30|logic|FAULT|8|||LOGIC|servo|normal",
        "08:00:40|logic|normal",
        states="08:00:40 idle, 08:10:40 unknown",
        why="The fault passes from system to servo to logic.",
    ),
    after_fault(
        "condition_between_events",
        "08:00:20|program|O1|system|NORMAL|100||||execution|ACTIVE|mode|AUTOMATIC",
        states="08:00:20 producing automatic, 08:10:20 unknown",
    ),
    after_fault(
        "text_of_a_condition_with_a_quoted_bar",
        r'08:00:20|system|FAULT|200|||"X \| Y"|execution|ACTIVE',
        "08:00:30|execution|READY|system|normal",
        states="08:00:20 producing, 08:00:30 idle, 08:10:30 unknown",
    ),
)
