"""Which data item, and which device, a key means."""

from tests.device_models import component, data_item
from tests.shdr_cases.case import Case
from tests.shdr_cases.devices import FULL, MODE, only_path

TWO_DEVICES = FULL.replace(
    "</Devices>",
    '<Device id="d2" name="VMC2" uuid="U-0002"><Components>'
    + component("Path", "q1", data_item("q1_exec", "EXECUTION", name="execution"))
    + "</Components></Device></Devices>",
)

KEYS: tuple[Case, ...] = (
    Case(
        "keys_by_id_name_and_source",
        ("08:00:00|exec|READY", "08:00:10|p1_exec|ACTIVE", "08:00:20|plc.D100|INTERRUPTED"),
        states="08:00:00 idle, 08:00:10 producing, 08:00:20 delayed, 08:10:20 unknown",
        devices=only_path(data_item("p1_exec", "EXECUTION", content="<Source>plc.D100</Source>", name="exec"), MODE),
    ),
    Case(
        "keys_prefixed_by_the_devices_name_or_uuid",
        (
            "08:00:00|VMC1:execution|READY",
            "08:00:10|U-0001:execution|ACTIVE|VMC1:mode|AUTOMATIC",
            "08:00:20|VMC1:p1_exec|INTERRUPTED",
        ),
        states="08:00:00 idle, 08:00:10 producing automatic, 08:00:20 delayed automatic, 08:10:20 unknown",
        devices=FULL,
    ),
    Case(
        "keys_prefixed_by_another_device",
        ("08:00:00|VMC1:execution|READY", "08:00:10|VMC1:mode|AUTOMATIC", "08:00:20|VMC2:execution|ACTIVE"),
        states="08:00:00 idle, 08:00:10 idle automatic, 08:10:10 unknown",
        devices=FULL,
        problems=("3:22 key of another device: VMC2:execution",),
        why="It is no state of this machine, which is not heard either.",
    ),
    Case(
        "prefixed_conditions_and_messages",
        (
            "08:00:00|VMC1:execution|READY",
            "08:00:10|VMC1:system|FAULT|100|||HOT|VMC1:msg|C|hello|VMC1:mode|MANUAL",
            "08:00:20|VMC1:system|normal",
        ),
        states="08:00:00 idle, 08:00:10 faulted manual, 08:00:20 idle manual, 08:10:20 unknown",
        devices=FULL,
    ),
    Case(
        "prefixed_keys_without_a_model",
        ("08:00:00|VMC1:execution|READY|VMC1:mode|AUTOMATIC", "08:00:10|VMC1:execution|ACTIVE"),
        states="08:00:00 idle automatic, 08:00:10 producing automatic, 08:10:10 unknown",
        why="The one device that the log names is the machine.",
    ),
    Case(
        "two_devices_in_one_model_and_prefixed_keys",
        ("08:00:00|VMC2:execution|READY", "08:00:10|VMC2:q1_exec|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:10 unknown",
        devices=TWO_DEVICES,
        why="The keys show which device it is.",
    ),
    Case(
        "two_devices_in_one_model_and_a_device_command",
        ("* device: VMC2", "08:00:00|execution|READY", "08:00:10|q1_exec|ACTIVE"),
        states="08:00:00 idle, 08:00:10 producing, 08:10:10 unknown",
        devices=TWO_DEVICES,
        why="Only VMC2 has the key q1_exec.",
    ),
    Case(
        "an_id_comes_before_a_name",
        ("08:00:00|real|READY", "08:00:10|execution|ACTIVE", "08:00:20|real|INTERRUPTED"),
        states="08:00:00 idle, 08:00:20 delayed, 08:10:20 unknown",
        devices=only_path(
            data_item("real", "EXECUTION", name="execution"), data_item("execution", "PROGRAM", name="program")
        ),
        problems=(
            "device model: The name execution of data item real means data item execution, which has it already.",
        ),
        why="'execution' is the program's id.",
    ),
    Case(
        "a_name_comes_before_a_source",
        ("08:00:00|x|READY", "08:00:10|y|ACTIVE"),
        states="08:00:00 idle, 08:10:10 unknown",
        devices=only_path(
            data_item("a", "EXECUTION", content="<Source>y</Source>", name="x"), data_item("b", "PROGRAM", name="y")
        ),
        problems=("device model: The source y of data item a means data item b, which has it already.",),
    ),
    Case(
        "keys_are_case_sensitive",
        ("08:00:00|execution|READY", "08:00:10|EXECUTION|ACTIVE", "08:00:20|Mode|AUTOMATIC"),
        states="08:00:00 idle, 08:10:20 unknown",
        devices=FULL,
        problems=("2:22 unknown key: EXECUTION", "3:22 unknown key: Mode"),
    ),
)
