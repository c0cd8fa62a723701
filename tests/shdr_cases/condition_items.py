"""Which fields are a condition, and of which data item."""

from tests.device_models import component, data_item
from tests.shdr_cases.case import Case
from tests.shdr_cases.devices import EXECUTION, FULL, SYSTEM, document, one_path

THREE_SYSTEMS = document(
    component("Controller", "c1", SYSTEM, component("Path", "p1", EXECUTION)),
    component(
        "Systems",
        "sys",
        component("Hydraulic", "h1", data_item("h1_sys", "SYSTEM", "CONDITION")),
        component("Coolant", "k1", data_item("k1_sys", "SYSTEM", "CONDITION", name="coolant")),
    ),
)

CONDITION_ITEMS: tuple[Case, ...] = (
    Case(
        "short_condition_before_an_event",
        (
            "08:00:00|execution|READY",
            "08:00:10|system|FAULT|100",
            "08:00:20|system|NORMAL|execution|ACTIVE",
            "08:00:30|execution|READY",
            "08:00:40|system|NORMAL",
        ),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:20 producing, 08:00:30 idle, 08:10:40 unknown",
        devices=FULL,
        why="It ends where a data item with a valid value begins; the agent takes them for its code and severity.",
    ),
    Case(
        "conditions_on_several_components",
        (
            "08:00:00|execution|READY",
            "08:00:10|h1_sys|FAULT|100|||OIL",
            "08:00:20|coolant|FAULT|100|||WATER",
            "08:00:30|system|NORMAL",
            "08:00:40|h1_sys|NORMAL|100",
            "08:00:50|coolant|UNAVAILABLE",
        ),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:50 idle, 08:10:50 unknown",
        devices=THREE_SYSTEMS,
        why="One native code on three data items is three conditions.",
    ),
    Case(
        "condition_by_id_name_and_source_is_one_condition",
        ("08:00:00|execution|READY", "08:00:10|c1_sys|FAULT|1", "08:00:20|system|FAULT|2", "08:00:30|plc.sys|NORMAL"),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:30 idle, 08:10:30 unknown",
        devices=document(
            component(
                "Controller",
                "c1",
                data_item("c1_sys", "SYSTEM", "CONDITION", content="<Source>plc.sys</Source>", name="system"),
                component("Path", "p1", EXECUTION),
            )
        ),
    ),
    Case(
        "condition_ids_behind_the_native_code",
        (
            "08:00:00|execution|READY",
            "08:00:10|system|FAULT|100:a|||A",
            "08:00:20|system|FAULT|100:b|||B",
            "08:00:30|system|NORMAL|100:a",
            "08:00:40|system|NORMAL|:b",
        ),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:40 idle, 08:10:40 unknown",
        devices=one_path(version="2.3"),
        why="From version 2.3 on the id behind the colon tells conditions apart; before, all of it is the code.",
    ),
    Case(
        "an_event_whose_value_looks_like_a_level",
        (
            "08:00:00|execution|READY",
            "08:00:10|pathmode|FAULT|execution|ACTIVE|mode|AUTOMATIC",
            "08:00:20|execution|READY",
        ),
        states="08:00:00 idle, 08:00:10 producing automatic, 08:00:20 idle automatic, 08:10:20 unknown",
        devices=FULL,
        why="By its shape a condition, by the model three events.",
    ),
    Case(
        "a_condition_whose_fields_look_like_pairs",
        ("08:00:00|execution|READY", "08:00:10|system|WARNING|execution|ACTIVE|mode|MANUAL"),
        states="08:00:00 idle, 08:00:10 producing manual, 08:10:10 unknown",
        devices=FULL,
        why="A short condition and two events, as these have valid values.",
    ),
    Case(
        "conditions_without_a_model",
        (
            "08:00:00|execution|READY",
            "08:00:10|system_cond|FAULT|100|||HOT",
            "08:00:20|system_cond|normal",
            "08:00:30|servo_cond|Fault|7|||X",
            "08:00:40|servo_cond|UNAVAILABLE",
            "08:00:50|servo_cond|FAULT|8|||Y",
            "08:01:00|servo_cond|WARNING|8",
        ),
        states=(
            "08:00:00 idle, 08:00:10 faulted, 08:00:20 idle, 08:00:30 faulted, 08:00:40 idle, "
            "08:00:50 faulted, 08:01:00 idle, 08:11:00 unknown"
        ),
    ),
    Case(
        "several_conditions_on_a_line_without_a_model",
        (
            "08:00:00|execution|READY",
            "08:00:10|system_cond|NORMAL|||||servo_cond|FAULT|7|||SERVO",
            "08:00:20|servo_cond|NORMAL|7||||execution|ACTIVE",
        ),
        states="08:00:00 idle, 08:00:10 faulted, 08:00:20 producing, 08:10:20 unknown",
        why="A ready-made model lists no conditions; a level behind an unknown key shows one.",
    ),
)
