"""Device models of the cases."""

from tests.device_models import component, data_item, sample

AVAILABILITY = data_item("d1_avail", "AVAILABILITY", name="avail")
EXECUTION = data_item("p1_exec", "EXECUTION", name="execution")
MODE = data_item("p1_mode", "CONTROLLER_MODE", name="mode")
FUNCTIONAL_MODE = data_item("p1_fmode", "FUNCTIONAL_MODE", name="fmode")
PARTS = data_item("p1_parts", "PART_COUNT", name="pcount")
EMERGENCY_STOP = data_item("c1_estop", "EMERGENCY_STOP", name="estop")
SYSTEM = data_item("c1_sys", "SYSTEM", "CONDITION", name="system")
MESSAGE = data_item("c1_msg", "MESSAGE", name="msg")


def document(*content: str, availability: str = AVAILABILITY, version: str | None = "1.7") -> str:
    """Write a document with one device, of a version of the standard or without a namespace."""
    namespace = f' xmlns="urn:mtconnect.org:MTConnectDevices:{version}"' if version else ""
    components = "".join(part for part in content if not part.startswith("<DataItem "))
    items = "".join(part for part in content if part.startswith("<DataItem "))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<MTConnectDevices{namespace}><Devices>'
        f'<Device id="d1" name="VMC1" uuid="U-0001"><DataItems>{availability}{items}</DataItems>'
        f"<Components>{components}</Components></Device></Devices></MTConnectDevices>"
    )


def one_path(*items: str, version: str | None = "1.7") -> str:
    """Write a model with an execution, a mode and the given data items on one path."""
    path = component("Path", "p1", EXECUTION, MODE, *items)
    return document(component("Controller", "c1", EMERGENCY_STOP, SYSTEM, MESSAGE, path), version=version)


def only_path(*items: str) -> str:
    """Write a model with nothing but a path."""
    return document(component("Controller", "c1", component("Path", "p1", *items)))


def two_paths(first: tuple[str, ...], second: tuple[str, ...]) -> str:
    """Write a model with the data items of two paths."""
    paths = component("Path", "p1", *first), component("Path", "p2", *second)
    return document(component("Controller", "c1", EMERGENCY_STOP, SYSTEM, *paths))


FULL = document(
    component(
        "Controller",
        "c1",
        EMERGENCY_STOP,
        SYSTEM,
        data_item("c1_logic", "LOGIC_PROGRAM", "CONDITION", name="logic"),
        MESSAGE,
        data_item("c1_msg2", "MESSAGE", name="msg2"),
        data_item("c1_alarm", "ALARM", name="alarm"),
        component(
            "Path",
            "p1",
            EXECUTION,
            MODE,
            FUNCTIONAL_MODE,
            data_item("p1_prog", "PROGRAM", name="program"),
            PARTS,
            data_item("p1_block", "BLOCK", name="block"),
            data_item("p1_pmode", "PATH_MODE", name="pathmode"),
            data_item("p1_vars", "VARIABLE", name="vars", representation="DATA_SET"),
            data_item("p1_wpo", "WORK_OFFSET", name="wpo", representation="TABLE"),
            sample("p1_pos", "PATH_POSITION", "MILLIMETER_3D", name="pos3", subType="ACTUAL"),
        ),
    ),
    component(
        "Axes",
        "ax",
        component(
            "Linear",
            "x1",
            sample("x1_load", "LOAD", name="Xload", nativeUnits="PERCENT"),
            data_item("x1_servo", "ACTUATOR", "CONDITION", name="servo"),
        ),
        component(
            "Rotary",
            "s1",
            sample("s1_speed", "ROTARY_VELOCITY", "REVOLUTION/MINUTE", name="Srpm", subType="ACTUAL"),
            sample("s1_temp", "TEMPERATURE", "CELSIUS", name="Stemp", nativeUnits="FAHRENHEIT"),
            sample("s1_vib", "ACCELERATION", "MILLIMETER/SECOND^2", name="vib", representation="TIME_SERIES"),
            sample("s1_loads", "LOAD", name="loads", representation="DATA_SET"),
        ),
    ),
    data_item("d1_chg", "ASSET_CHANGED", name="achg"),
    data_item("d1_rem", "ASSET_REMOVED", name="arem"),
)
"""A machine with data items of every form."""
