"""Ready-made models for logs without a device model: the data items of three makes of adapters that Jejo uses.

A measurement becomes a reading only if the make's device models give its unit, in which the metric's name ends.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from services.core.errors import ConfigurationError
from services.gateway.mtconnect.model import DataItem, DeviceModel, PartKind, Role


def ready_made(name: str, roles: Mapping[str, Role], metrics: Mapping[str, str]) -> DeviceModel:
    """Return a model of the data items with the given roles and metrics, by key."""
    items = [
        DataItem(key, (key,), role=role, parts=PartKind.ALL if role is Role.PART_COUNT else None)
        for key, role in roles.items()
    ]
    items += [DataItem(key, (key,), metric=metric) for key, metric in metrics.items()]
    return DeviceModel(name, frozenset(), items, complete=False)


# Values are in the device model's units, not in its native units: logs are written after the conversion.
MAZAK = ready_made(
    "mazak",
    roles={
        "execution": Role.EXECUTION,
        "avail": Role.AVAILABILITY,
        "estop": Role.EMERGENCY_STOP,
        "functionalmode": Role.FUNCTIONAL_MODE,
        "mode": Role.CONTROLLER_MODE,
        "PartCountAct": Role.PART_COUNT,
    },
    metrics={
        "Sload": "spindle_load_pct",
        "S1load": "spindle_load_pct",
        "S2load": "spindle_2_load_pct",
        "Srpm": "spindle_speed_rpm",
        "S2rpm": "spindle_2_speed_rpm",
        "Stemp": "spindle_temperature_c",
        "S2temp": "spindle_2_temperature_c",
        "Fact": "feed_rate_mm_per_s",
        "Fovr": "feed_override_pct",
        "Frapidovr": "rapid_override_pct",
        "Sovr": "spindle_override_pct",
        "Xload": "x_load_pct",
        "Yload": "y_load_pct",
        "Zload": "z_load_pct",
    },
)

HURCO = ready_made(
    "hurco",
    roles={
        "Program_Status": Role.EXECUTION,
        "avail": Role.AVAILABILITY,
        "EStop_State": Role.EMERGENCY_STOP,
        "Part_Count": Role.PART_COUNT,
    },
    metrics={
        "Spindle_Speed": "spindle_speed_rpm",
        "Feed_Rate": "feed_rate_mm_per_s",
        "Feed_Override": "feed_override_pct",
        "Rapid_Override": "rapid_override_pct",
        "Spindle_Override": "spindle_override_pct",
    },
)

OKUMA = ready_made(
    "okuma",
    roles={
        "pexecution": Role.EXECUTION,
        "avail": Role.AVAILABILITY,
        "estop": Role.EMERGENCY_STOP,
        "fmode": Role.FUNCTIONAL_MODE,
        "pmode": Role.CONTROLLER_MODE,
        "ppartcount": Role.PART_COUNT,
    },
    metrics={
        "S1load": "spindle_load_pct",
        "S6load": "spindle_6_load_pct",
        "S1speed": "spindle_speed_rpm",
        "S2speed": "spindle_2_speed_rpm",
        "S6speed": "spindle_6_speed_rpm",
        "pFovr": "feed_override_pct",
        "X1load": "x_load_pct",
        "Z1load": "z_load_pct",
    },
)

DIALECTS: Mapping[str, DeviceModel] = MappingProxyType({model.name: model for model in (MAZAK, HURCO, OKUMA)})


def choose_dialect(keys: Collection[str], machine_id: str) -> DeviceModel:
    """Return the ready-made model whose Execution is among a log's keys; of several, the one that knows most of them.

    Args:
        keys: without the device's name before them; other texts among them do no harm.
        machine_id: for the message.

    Raises:
        ConfigurationError: there is none.
    """
    candidates = [model for model in DIALECTS.values() if model.of_role(Role.EXECUTION)[0].id in keys]
    if not candidates:
        expected = ", ".join(f"{model.of_role(Role.EXECUTION)[0].id} ({name})" for name, model in DIALECTS.items())
        raise ConfigurationError(
            f"The logs of {machine_id} have none of the keys {expected}: give its device model with --devices."
        )
    return max(candidates, key=lambda model: len([item for item in model.items if item.role and item.id in keys]))
