"""Which state and mode a machine is in."""

from tests.shdr_cases.case import Case
from tests.shdr_cases.devices import FULL

STATES: tuple[Case, ...] = (
    Case(
        "execution_values",
        (
            "08:00:00|execution|READY",
            "08:00:10|execution|ACTIVE",
            "08:00:20|execution|FEED_HOLD",
            "08:00:30|execution|ACTIVE",
            "08:00:40|execution|INTERRUPTED",
            "08:00:50|execution|STOPPED",
            "08:01:00|execution|OPTIONAL_STOP",
            "08:01:10|execution|PROGRAM_COMPLETED",
            "08:01:20|execution|PROGRAM_STOPPED",
            "08:01:30|execution|ACTIVE",
            "08:01:40|execution|WAIT",
            "08:01:50|execution|UNAVAILABLE",
        ),
        states=(
            "08:00:00 idle, 08:00:10 producing, 08:00:20 delayed, 08:00:30 producing, 08:00:40 delayed, "
            "08:00:50 idle, 08:01:00 delayed, 08:01:10 idle, 08:01:20 delayed, 08:01:30 producing, "
            "08:01:40 delayed, 08:01:50 unknown"
        ),
    ),
    Case(
        "values_in_lower_case_and_with_blanks",
        ("08:00:00|execution| active |mode|  Automatic", "08:00:10|execution|Ready", "08:00:20|avail|unavailable"),
        states="08:00:00 producing automatic, 08:00:10 idle automatic, 08:00:20 unknown",
    ),
    Case(
        "availability_unavailable_beats_active_and_execution_comes_back_by_itself",
        ("08:00:00|avail|AVAILABLE|execution|ACTIVE", "08:01:00|avail|UNAVAILABLE", "08:02:00|avail|AVAILABLE"),
        states="08:00:00 producing, 08:01:00 unknown, 08:02:00 producing, 08:12:00 unknown",
    ),
    Case(
        "no_execution_yet",
        ("08:00:00|avail|AVAILABLE|mode|AUTOMATIC|estop|TRIGGERED", "08:01:00|execution|READY", "08:02:00|estop|ARMED"),
        states="08:01:00 faulted automatic, 08:02:00 idle automatic, 08:12:00 unknown",
        why="The first rule comes first: without an execution even a triggered emergency stop is unknown.",
    ),
    Case(
        "functional_mode_while_active",
        (
            "08:00:00|execution|ACTIVE",
            "08:00:10|functionalmode|SETUP",
            "08:00:20|functionalmode|PRODUCTION",
            "08:00:30|functionalmode|TEARDOWN",
            "08:00:40|functionalmode|MAINTENANCE",
            "08:00:50|functionalmode|UNAVAILABLE",
            "08:01:00|functionalmode|PROCESS_DEVELOPMENT",
        ),
        states=(
            "08:00:00 producing, 08:00:10 setup, 08:00:20 producing, 08:00:30 setup, 08:00:40 planned_stop, "
            "08:00:50 producing, 08:01:00 planned_stop, 08:11:00 unknown"
        ),
    ),
    Case(
        "order_of_the_rules_when_not_active",
        (
            "08:00:00|execution|READY|functionalmode|MAINTENANCE|estop|ARMED",
            "08:00:10|estop|TRIGGERED",
            "08:00:20|execution|ACTIVE",
            "08:00:30|functionalmode|PRODUCTION",
            "08:00:40|execution|INTERRUPTED",
            "08:00:50|estop|UNAVAILABLE",
            "08:01:00|functionalmode|SETUP",
        ),
        states=(
            "08:00:00 planned_stop, 08:00:10 faulted, 08:00:20 planned_stop, 08:00:30 producing, "
            "08:00:40 faulted, 08:00:50 delayed, 08:01:00 setup, 08:11:00 unknown"
        ),
        why="ACTIVE comes before the emergency stop, and that before FunctionalMode.",
    ),
    Case(
        "fault_while_active_shows_only_when_the_machine_stops",
        (
            "08:00:00|execution|ACTIVE|estop|ARMED",
            "08:00:10|system|FAULT|100|||COOLANT LOW",
            "08:00:20|execution|READY",
            "08:00:30|execution|ACTIVE",
            "08:00:40|system|NORMAL||||",
            "08:00:50|execution|READY",
        ),
        states="08:00:00 producing, 08:00:20 faulted, 08:00:30 producing, 08:00:50 idle, 08:10:50 unknown",
        devices=FULL,
        reasons={"08:00:25": "system 100 COOLANT LOW"},
    ),
    Case(
        "unknown_execution_value",
        ("08:00:00|execution|READY", "08:00:10|execution|RUNNING", "08:00:20|execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 unknown, 08:00:20 producing, 08:10:20 unknown",
        problems=("2:32 invalid value: execution=RUNNING",),
        why="It is not in the standard, so the state is unknown.",
    ),
    Case(
        "modes",
        (
            "08:00:00|execution|READY|mode|AUTOMATIC",
            "08:00:10|mode|SEMI_AUTOMATIC",
            "08:00:20|mode|MANUAL",
            "08:00:30|mode|MANUAL_DATA_INPUT",
            "08:00:40|mode|EDIT",
            "08:00:50|mode|UNAVAILABLE",
        ),
        states=(
            "08:00:00 idle automatic, 08:00:10 idle semi_automatic, 08:00:20 idle manual, 08:00:40 idle, "
            "08:10:50 unknown"
        ),
    ),
)
