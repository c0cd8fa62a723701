"""What a device model says about each key of a machine's log. Pure.

A device model (MTConnect's ``Devices.xml``) describes a machine as components with data items. A log names a data item
by its name, its id or its source, and only the model says how many fields follow, and what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from services.gateway.mtconnect.units import Conversion


class Form(Enum):
    """What follows the key of a data item on a line."""

    VALUE = auto()
    """One field: the value."""
    CONDITION = auto()
    """Level, native code, native severity, qualifier, text; the fields after the level may be missing."""
    MESSAGE = auto()
    """Native code, text."""
    ALARM = auto()
    """Code, native code, severity, state, text. Replaced by conditions since version 1.1 of the standard."""
    ASSET_EVENT = auto()
    """Asset type, asset id."""
    TIME_SERIES = auto()
    """Number of samples, rate in hertz, the samples separated by blanks."""
    DATA_SET = auto()
    """Pairs ``key=value`` separated by blanks; also tables, whose values are such sets themselves."""
    VECTOR = auto()
    """Three numbers separated by blanks."""


class Role(Enum):
    """What Jejo uses a data item for, whatever a machine calls it."""

    EXECUTION = auto()
    AVAILABILITY = auto()
    EMERGENCY_STOP = auto()
    FUNCTIONAL_MODE = auto()
    CONTROLLER_MODE = auto()
    PROGRAM = auto()
    PART_COUNT = auto()


class PartKind(Enum):
    """What a part counter counts, by the subtype of its data item."""

    ALL = auto()
    GOOD = auto()
    BAD = auto()


@dataclass(frozen=True, slots=True)
class DataItem:
    """One data item of a device.

    Attributes:
        id: unique within the device model.
        keys: the keys by which a log may name it.
        form: what follows the key on a line.
        scope: the ids of the components that contain it, from the device down.
        role: what it is used for; None for measurements, conditions, and what is not used.
        parts: what it counts, if it is a part counter that counts pieces made.
        counts_each: whether it reports the pieces made since its last report instead of a running total.
        metric: the name of its readings, which ends in their unit; None if it is no measurement with a unit.
        conversion: from the machine's units to the metric's; None if they are the same.
        constant: the value that it always has, whatever a log says.
        initial: the value that it has until a log says otherwise.
    """

    id: str
    keys: tuple[str, ...]
    form: Form = Form.VALUE
    scope: tuple[str, ...] = ()
    role: Role | None = None
    parts: PartKind | None = None
    counts_each: bool = False
    metric: str | None = None
    conversion: Conversion | None = None
    constant: str | None = None
    initial: str | None = None

    @property
    def label(self) -> str:
        """The data item's name, or its source or id if it has none."""
        return self.keys[1] if len(self.keys) > 1 else self.keys[0]


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """The data items of one device.

    Attributes:
        names: the device's name, uuid and id, by which keys may be prefixed, as in ``VMC1:execution``.
        items: in the order of the model.
        version: of the standard, as (major, minor).
        complete: whether it describes every data item. A ready-made model does not; see ``dialects``.
        foreign_keys: the keys of other devices in the same document that are not also this one's.
        remarks: what the model says that cannot be used, a sentence each.
    """

    name: str
    names: frozenset[str]
    items: Sequence[DataItem]
    version: tuple[int, int] = (1, 0)
    complete: bool = True
    foreign_keys: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()
    by_key: Mapping[str, DataItem] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Index the items by key. If several have a key, the first one has it."""
        by_key: dict[str, DataItem] = {}
        for item in self.items:
            for key in item.keys:
                by_key.setdefault(key, item)
        object.__setattr__(self, "by_key", by_key)

    def of_role(self, role: Role) -> list[DataItem]:
        """Return the data items of a role, in the order of the model."""
        return [item for item in self.items if item.role is role]
