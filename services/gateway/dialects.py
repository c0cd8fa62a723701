"""The names that each make of adapter gives to the data items that Jejo uses.

A data item becomes a reading only if the machine's device model gives its unit, in which the metric's name ends.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.core.errors import ConfigurationError
from services.gateway.mtconnect import Role


@dataclass(frozen=True, slots=True)
class Dialect:
    """One make of adapters.

    Attributes:
        roles: by key, the role of each data item that states or counts are derived from.
        readings: by key, the metric of each measurement.
    """

    name: str
    roles: Mapping[str, Role]
    readings: Mapping[str, str]

    @property
    def execution_key(self) -> str:
        """The key of Execution, without which there is no state."""
        return next(key for key, role in self.roles.items() if role is Role.EXECUTION)


# Values are in the device model's units, not in its native units: logs are written after the conversion.
MAZAK = Dialect(
    name="mazak",
    roles=MappingProxyType(
        {
            "execution": Role.EXECUTION,
            "avail": Role.AVAILABILITY,
            "estop": Role.EMERGENCY_STOP,
            "functionalmode": Role.FUNCTIONAL_MODE,
            "mode": Role.CONTROLLER_MODE,
            "PartCountAct": Role.PART_COUNT,
        }
    ),
    readings=MappingProxyType(
        {
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
        }
    ),
)

HURCO = Dialect(
    name="hurco",
    roles=MappingProxyType(
        {
            "Program_Status": Role.EXECUTION,
            "avail": Role.AVAILABILITY,
            "EStop_State": Role.EMERGENCY_STOP,
            "Part_Count": Role.PART_COUNT,
        }
    ),
    readings=MappingProxyType(
        {
            "Spindle_Speed": "spindle_speed_rpm",
            "Feed_Rate": "feed_rate_mm_per_s",
            "Feed_Override": "feed_override_pct",
            "Rapid_Override": "rapid_override_pct",
            "Spindle_Override": "spindle_override_pct",
        }
    ),
)

OKUMA = Dialect(
    name="okuma",
    roles=MappingProxyType(
        {
            "pexecution": Role.EXECUTION,
            "avail": Role.AVAILABILITY,
            "estop": Role.EMERGENCY_STOP,
            "fmode": Role.FUNCTIONAL_MODE,
            "pmode": Role.CONTROLLER_MODE,
            "ppartcount": Role.PART_COUNT,
        }
    ),
    readings=MappingProxyType(
        {
            "S1load": "spindle_load_pct",
            "S6load": "spindle_6_load_pct",
            "S1speed": "spindle_speed_rpm",
            "S2speed": "spindle_2_speed_rpm",
            "S6speed": "spindle_6_speed_rpm",
            "pFovr": "feed_override_pct",
            "X1load": "x_load_pct",
            "Z1load": "z_load_pct",
        }
    ),
)

DIALECTS = {dialect.name: dialect for dialect in (MAZAK, HURCO, OKUMA)}


def choose_dialect(keys: Collection[str]) -> Dialect:
    """Return the dialect whose execution key is among a log's keys; of several, the one that shares most keys with it.

    Raises:
        ConfigurationError: there is none.
    """
    candidates = [dialect for dialect in DIALECTS.values() if dialect.execution_key in keys]
    if not candidates:
        expected = ", ".join(f"{dialect.execution_key} ({name})" for name, dialect in DIALECTS.items())
        raise ConfigurationError(f"The log has none of the execution keys {expected}: is it this machine's SHDR log?")
    return max(candidates, key=lambda dialect: len(dialect.roles.keys() & set(keys)))
