"""Device models of every form, and ready-made ones."""

from tests.device_models import component, data_item
from tests.shdr_cases.case import Case
from tests.shdr_cases.devices import EMERGENCY_STOP, EXECUTION, MODE, PARTS, document, one_path, two_paths

EXTENDED = """<m:MTConnectDevices xmlns:m="urn:mtconnect.org:MTConnectDevices:1.5" xmlns:x="urn:x.com:Devices:1.0">
<m:Devices><m:Device id="d" name="M" uuid="U"><m:Components>
<m:Controller id="c"><m:Components><m:Path id="p"><m:DataItems>
<m:DataItem id="e" name="execution" category="EVENT" type="EXECUTION"/>
<m:DataItem id="v" name="xv" category="EVENT" type="x:SPECIAL"/>
</m:DataItems></m:Path></m:Components></m:Controller>
<x:Pump id="k"><m:DataItems><m:DataItem id="pc" name="pump" category="CONDITION" type="SYSTEM"/></m:DataItems></x:Pump>
</m:Components></m:Device></m:Devices></m:MTConnectDevices>"""


def constant(id: str, type: str, name: str, value: str) -> str:
    return data_item(id, type, content=f"<Constraints><Value>{value}</Value></Constraints>", name=name)


CONSTANTS = document(
    component(
        "Controller",
        "c1",
        component(
            "Path",
            "p1",
            EXECUTION,
            constant("p1_mode", "CONTROLLER_MODE", "mode", "AUTOMATIC"),
            constant("p1_fmode", "FUNCTIONAL_MODE", "fmode", "PRODUCTION"),
        ),
    ),
    availability=constant("d1_avail", "AVAILABILITY", "avail", "AVAILABLE"),
)

TWO_PATHS = two_paths(
    (EXECUTION, MODE, data_item("p1_sys", "SYSTEM", "CONDITION", name="path_system"), PARTS),
    (
        data_item("p2_exec", "EXECUTION", name="execution2"),
        data_item("p2_mode", "CONTROLLER_MODE", name="mode2"),
        data_item("p2_sys", "SYSTEM", "CONDITION", name="path_system2"),
        data_item("p2_parts", "PART_COUNT", name="pcount2"),
    ),
)

MODELS: tuple[Case, ...] = (
    Case(
        "model_without_a_namespace",
        ("08:00:00|execution|READY|mode|AUTOMATIC", "08:00:10|execution|ACTIVE"),
        states="08:00:00 idle automatic, 08:00:10 producing automatic, 08:10:10 unknown",
        devices=one_path(version=None),
    ),
    Case(
        "model_of_version_1.1",
        ("08:00:00|execution|READY|mode|AUTOMATIC", "08:00:10|execution|ACTIVE"),
        states="08:00:00 idle automatic, 08:00:10 producing automatic, 08:10:10 unknown",
        devices=one_path(version="1.1"),
    ),
    Case(
        "model_of_version_2.5",
        ("08:00:00|execution|READY|mode|AUTOMATIC", "08:00:10|execution|ACTIVE"),
        states="08:00:00 idle automatic, 08:00:10 producing automatic, 08:10:10 unknown",
        devices=one_path(version="2.5"),
    ),
    Case(
        "model_with_a_prefixed_namespace_and_extensions",
        ("08:00:00|execution|READY|xv|5|pump|FAULT|1|||LOW", "08:00:10|pump|normal|||||execution|ACTIVE"),
        states="08:00:00 faulted, 08:00:10 producing, 08:10:10 unknown",
        devices=EXTENDED,
        why="Components of other namespaces have data items, too.",
    ),
    Case(
        "constants_hold_whatever_the_log_says",
        (
            "08:00:00|execution|READY",
            "08:00:10|fmode|SETUP|execution|ACTIVE",
            "08:00:20|avail|UNAVAILABLE",
            "08:00:30|mode|MANUAL",
        ),
        states="08:00:00 idle automatic, 08:00:10 producing automatic, 08:10:30 unknown",
        devices=CONSTANTS,
        why="One value in the constraints is a constant.",
    ),
    Case(
        "several_values_in_constraints_make_no_constant",
        ("08:00:00|execution|READY|fmode|SETUP", "08:00:10|fmode|PRODUCTION"),
        states="08:00:00 setup, 08:00:10 idle, 08:10:10 unknown",
        devices=one_path(
            data_item(
                "p1_fmode",
                "FUNCTIONAL_MODE",
                content="<Constraints><Value>PRODUCTION</Value><Value>SETUP</Value></Constraints>",
                name="fmode",
            )
        ),
    ),
    Case(
        "initial_value",
        ("08:00:00|avail|AVAILABLE|execution|ACTIVE", "08:00:10|fmode|PRODUCTION"),
        states="08:00:00 setup, 08:00:10 producing, 08:10:10 unknown",
        devices=one_path(
            data_item("p1_fmode", "FUNCTIONAL_MODE", content="<InitialValue>SETUP</InitialValue>", name="fmode")
        ),
        why="It holds until a value is sent.",
    ),
    Case(
        "two_paths_that_move_together",
        (
            "08:00:00|execution|READY|execution2|READY",
            "08:00:10|execution|ACTIVE|execution2|ACTIVE",
            "08:00:20|execution|READY|execution2|READY",
        ),
        states="08:00:00 idle, 08:00:10 producing, 08:00:20 idle, 08:10:20 unknown",
        devices=TWO_PATHS,
    ),
    Case(
        "first_path_stands_while_the_second_cuts",
        ("08:00:00|execution|READY|execution2|READY", "08:00:10|execution2|ACTIVE", "08:00:20|execution2|READY"),
        states="08:00:00 idle, 08:00:10 producing, 08:00:20 idle, 08:10:20 unknown",
        devices=TWO_PATHS,
        why="A machine produces if one of its paths does.",
    ),
    Case(
        "second_path_unavailable_or_idle_does_not_stop_the_first",
        (
            "08:00:00|execution|ACTIVE|execution2|UNAVAILABLE",
            "08:00:10|execution2|READY",
            "08:00:20|execution2|UNAVAILABLE",
        ),
        states="08:00:00 producing, 08:10:20 unknown",
        devices=TWO_PATHS,
    ),
    Case(
        "paths_with_the_same_names_are_told_apart_by_id",
        (
            "08:00:00|p1_exec|READY|p2_exec|READY",
            "08:00:10|p1_exec|ACTIVE|p2_exec|INTERRUPTED",
            "08:00:20|p1_exec|READY|p2_exec|READY",
        ),
        states="08:00:00 idle, 08:00:10 producing, 08:00:20 idle, 08:10:20 unknown",
        devices=two_paths((EXECUTION,), (data_item("p2_exec", "EXECUTION", name="execution"),)),
        problems=(
            "device model: The name execution of data item p2_exec means data item p1_exec, which has it already.",
        ),
        why="By their common name the first is meant.",
    ),
    Case(
        "two_paths_with_a_counter_each",
        (
            "08:00:00|execution|ACTIVE|pcount|10|pcount2|100",
            "08:01:00|pcount|11",
            "08:02:00|pcount2|101",
            "08:03:00|pcount|12",
        ),
        devices=TWO_PATHS,
        good=(1, 1, 1),
        why="The paths add up, and each counter has its own totals.",
    ),
    Case(
        "model_that_is_no_xml",
        ("08:00:00|execution|READY",),
        devices="<MTConnectDevices><Devices>",
        refused="The device model is not well-formed XML (no element found",
    ),
    Case(
        "model_without_a_device",
        ("08:00:00|execution|READY",),
        devices='<MTConnectDevices xmlns="urn:mtconnect.org:MTConnectDevices:1.3"><Devices/></MTConnectDevices>',
        refused="The device model has no <Device>",
    ),
    Case(
        "model_without_an_execution",
        ("08:00:00|avail|AVAILABLE",),
        states="",
        devices=document(component("Controller", "c1", EMERGENCY_STOP)),
        problems=("device model: There is no EXECUTION: every state is unknown",),
    ),
    Case(
        "log_of_another_kind",
        ("a,b,c", "1,2,3"),
        refused="The logs of M01 have none of the keys execution (mazak), Program_Status (hurco), pexecution (okuma)",
    ),
    Case(
        "hurco",
        (
            "08:00:00|EStop_State|ARMED|Spindle_Speed|0|Program_Name_Running| |Part_Count|1909|Program_Status|READY",
            "08:00:10|Program_Status|ACTIVE",
            "08:01:00|Part_Count|1910",
            "08:01:10|EStop_State|TRIGGERED|Program_Status|STOPPED",
        ),
        states="08:00:00 idle, 08:00:10 producing, 08:01:10 faulted, 08:11:10 unknown",
        good=(1,),
        problems=("1:56 unknown key: Program_Name_Running",),
    ),
    Case(
        "okuma",
        (
            "08:00:00|pexecution|READY|pmode|AUTOMATIC|fmode|PRODUCTION|ppartcount|5",
            "08:00:10|pexecution|ACTIVE|fmode|SETUP",
            "08:01:00|fmode|PRODUCTION|ppartcount|6",
        ),
        states="08:00:00 idle automatic, 08:00:10 setup automatic, 08:01:00 producing automatic, 08:11:00 unknown",
        good=(1,),
    ),
)
