"""Makes devices as their models declare them, with what a test needs to know to write and to understand their logs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

VERSIONS = ("1.0", "1.2", "1.3", "1.5", "1.8", "2.0", "2.2", "2.3", "2.7")
OTHER_DEVICE = "LATHE9"


class Kind(Enum):
    """What an item is to Jejo, whatever the standard calls its type."""

    EXECUTION = auto()
    MODE = auto()
    FUNCTIONAL_MODE = auto()
    PROGRAM = auto()
    COUNTER = auto()
    EACH = auto()
    """A part counter that reports the pieces made since its last report."""
    AVAILABILITY = auto()
    ESTOP = auto()
    CONDITION = auto()
    NUMBER = auto()
    TEXT = auto()
    """Whatever has one field, and nothing is derived from."""
    MESSAGE = auto()
    ALARM = auto()
    ASSET_EVENT = auto()
    TIME_SERIES = auto()
    DATA_SET = auto()
    VECTOR = auto()
    UNKNOWN = auto()
    """A key that the model does not declare."""


@dataclass(frozen=True, slots=True)
class Item:
    """A data item. ``scale`` and ``offset`` take a native number to the model's unit; ``parts`` is GOOD, BAD or ALL."""

    kind: Kind
    id: str
    name: str = ""
    source: str = ""
    component: str = "device"
    declared: Mapping[str, str] = field(default_factory=dict)
    parts: str = ""
    scale: float = 1.0
    offset: float = 0.0
    constant: str = ""
    initial: str = ""

    @property
    def keys(self) -> list[str]:
        return [key for key in (self.id, self.name, self.source) if key]

    @property
    def label(self) -> str:
        return self.name or self.source or self.id


@dataclass(frozen=True, slots=True)
class Path:
    """A path's items; those that it shares with the other path belong to the controller."""

    execution: Item
    mode: Item | None
    functional_mode: Item | None


@dataclass(frozen=True, slots=True)
class Device:
    """A device; ``programs`` has the item that names what runs in a component."""

    names: tuple[str, str, str]
    version: str
    items: tuple[Item, ...]
    paths: tuple[Path, ...]
    programs: Mapping[str, Item]

    def of(self, *kinds: Kind) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]

    @property
    def has_condition_ids(self) -> bool:
        return self.version in ("2.3", "2.7")


STEMS = ("x", "Xload", "스핀들", "p.exec", "S1 load", "$k", "Tool_장착", "e\u0301")
SOURCES = ("PLC:M", "DB10|DBX", 'say "x"', "back\\slash", "주소 ")
COUNTERS = ((), ("",), ("ALL",), ("GOOD", "BAD"), ("ALL", "BAD"), ("ALL", "GOOD", "BAD"), ("COMPLETE",), ("BAD",))
NUMBERS: tuple[tuple[dict[str, str], float, float], ...] = (
    ({"type": "LOAD", "units": "PERCENT"}, 1.0, 0.0),
    ({"type": "POSITION", "units": "MILLIMETER", "nativeUnits": "INCH"}, 25.4, 0.0),
    ({"type": "TEMPERATURE", "units": "CELSIUS", "nativeUnits": "FAHRENHEIT"}, 5 / 9, -160 / 9),
    ({"type": "AXIS_FEEDRATE", "units": "MILLIMETER/SECOND", "nativeUnits": "FOOT/MINUTE"}, 5.08, 0.0),
    ({"type": "AMPERAGE", "units": "AMPERE", "nativeUnits": "AMPERE", "nativeScale": "10"}, 0.1, 0.0),
    ({"type": "ROTARY_VELOCITY", "units": "REVOLUTION/MINUTE", "subType": "ACTUAL"}, 1.0, 0.0),
)
EVENT, SAMPLE = {"category": "EVENT"}, {"category": "SAMPLE"}
REST: tuple[tuple[Kind, dict[str, str]], ...] = (
    (Kind.CONDITION, {"category": "CONDITION", "type": "SYSTEM"}),
    (Kind.CONDITION, {"category": "CONDITION", "type": "LOGIC_PROGRAM"}),
    (Kind.MESSAGE, {**EVENT, "type": "MESSAGE"}),
    (Kind.ALARM, {**EVENT, "type": "ALARM"}),
    (Kind.ASSET_EVENT, {**EVENT, "type": "ASSET_CHANGED"}),
    (Kind.ASSET_EVENT, {**EVENT, "type": "ASSET_REMOVED"}),
    (Kind.TEXT, {**SAMPLE, "type": "LOAD"}),
    (Kind.TEXT, {**EVENT, "type": "BLOCK"}),
    (Kind.TEXT, {**EVENT, "type": "PROGRAM", "subType": "SCHEDULED"}),
    (Kind.TEXT, {**EVENT, "type": "PART_COUNT", "subType": "TARGET"}),
    (Kind.TIME_SERIES, {**SAMPLE, "type": "LOAD", "units": "PERCENT", "representation": "TIME_SERIES"}),
    (Kind.DATA_SET, {**EVENT, "type": "VARIABLE", "representation": "DATA_SET"}),
    (Kind.DATA_SET, {**EVENT, "type": "WORK_OFFSET", "representation": "TABLE"}),
    (Kind.VECTOR, {**SAMPLE, "type": "PATH_POSITION", "units": "MILLIMETER_3D"}),
)


class Maker:
    """Makes the items of one device, with keys of their own."""

    def __init__(self, rng: Random) -> None:
        self.items: list[Item] = []
        self._rng = rng

    def item(self, kind: Kind, component: str, **declared: str) -> Item:
        rng, number = self._rng, len(self.items)
        item = Item(
            kind,
            id=f"d_{number}",
            name=rng.choice(("", f"{rng.choice(STEMS)}{number}")),
            source=rng.choice(("", "", f"{rng.choice(SOURCES)}{number}")),
            component=component,
            declared=declared,
        )
        self.items.append(item)
        return item

    def change(self, item: Item, **changes: object) -> Item:
        """Replace the item made last by one that differs from it."""
        attributes = {name: getattr(item, name) for name in Item.__slots__}
        self.items[-1] = Item(**{**attributes, **changes})
        return self.items[-1]


def make_device(rng: Random) -> Device:
    """Make a device with one or two paths."""
    make, programs, paths = Maker(rng), dict[str, Item](), list[Path]()
    version = rng.choice(VERSIONS)
    if rng.random() < 0.5:
        make.item(Kind.AVAILABILITY, "device", **EVENT, type="AVAILABILITY")
    if rng.random() < 0.5:
        make.item(Kind.ESTOP, "controller", **EVENT, type="EMERGENCY_STOP")
    shared = {kind: rng.random() < 0.3 for kind in (Kind.MODE, Kind.FUNCTIONAL_MODE, Kind.PROGRAM, Kind.COUNTER)}
    common = make_modes(make, rng, "controller", shared)
    programs |= make_programs(make, rng, "controller") if shared[Kind.PROGRAM] else {}
    if shared[Kind.COUNTER]:
        make_counters(make, rng, "controller", version)
    for path in ("path1", "path2")[: rng.choice((1, 2))]:
        execution = make.item(Kind.EXECUTION, path, **EVENT, type="EXECUTION")
        own = make_modes(make, rng, path, {kind: not value or rng.random() < 0.3 for kind, value in shared.items()})
        found = common | own
        paths.append(Path(execution, found.get(Kind.MODE), found.get(Kind.FUNCTIONAL_MODE)))
        programs |= {path: programs["controller"]} if shared[Kind.PROGRAM] else make_programs(make, rng, path)
        if not shared[Kind.COUNTER]:
            make_counters(make, rng, path, version)
    programs.setdefault("controller", programs["path1"])
    for declared, scale, offset in rng.sample(NUMBERS, rng.randrange(4)):
        make.change(make.item(Kind.NUMBER, "axis", **SAMPLE, **declared), scale=scale, offset=offset)
    for kind, declared in rng.sample(REST, rng.randrange(7)):
        make.item(kind, rng.choice(("device", "controller", "axis")), **declared)
    return Device(("VMC1", "M80-104", "d"), version, tuple(make.items), tuple(with_only_modes(make, paths)), programs)


def with_only_modes(make: Maker, paths: list[Path]) -> Iterator[Path]:
    """Yield the paths, with a mode that only one of them has as the mode of both."""
    modes = [item for item in make.items if item.kind is Kind.MODE]
    functional_modes = [item for item in make.items if item.kind is Kind.FUNCTIONAL_MODE]
    for path in paths:
        yield Path(
            path.execution,
            modes[0] if len(modes) == 1 else path.mode,
            functional_modes[0] if len(functional_modes) == 1 else path.functional_mode,
        )


def make_modes(make: Maker, rng: Random, component: str, wanted: Mapping[Kind, bool]) -> dict[Kind, Item]:
    """Make the modes of a component; one that is nowhere is not known."""
    made = {}
    if wanted[Kind.MODE] and rng.random() < 0.8:
        mode = make.item(Kind.MODE, component, **EVENT, type="CONTROLLER_MODE")
        made[Kind.MODE] = make.change(mode, **rng.choice(({}, {}, {"constant": "AUTOMATIC"}, {"initial": "MANUAL"})))
    if wanted[Kind.FUNCTIONAL_MODE] and rng.random() < 0.5:
        made[Kind.FUNCTIONAL_MODE] = make.item(Kind.FUNCTIONAL_MODE, component, **EVENT, type="FUNCTIONAL_MODE")
    return made


def make_programs(make: Maker, rng: Random, component: str) -> dict[str, Item]:
    sub_type = rng.choice(({}, {"subType": "MAIN"}, {"subType": "ACTIVE"}))
    return {component: make.item(Kind.PROGRAM, component, **EVENT, type="PROGRAM", **sub_type)}


def make_counters(make: Maker, rng: Random, component: str, version: str) -> None:
    for sub_type in rng.choice(COUNTERS):
        declared = {**rng.choice((EVENT, EVENT, {**SAMPLE, "units": "COUNT"})), "type": "PART_COUNT"}
        declared |= {"subType": sub_type} if sub_type else {}
        kind = rng.choice((Kind.COUNTER, Kind.COUNTER, Kind.EACH))
        if kind is Kind.EACH:
            declared |= {"representation": "DISCRETE"} if version < "1.5" else {"discrete": "true"}
        parts = sub_type if sub_type in ("GOOD", "BAD") else "ALL"
        make.change(make.item(kind, component, **declared), parts=parts)


def to_xml(device: Device) -> bytes:
    """Write the device model as an agent answers, or as the file that an agent reads."""
    root = Element("MTConnectDevices", {"xmlns": f"urn:mtconnect.org:MTConnectDevices:{device.version}"})
    SubElement(root, "Header", {"version": "9.9"})
    name, uuid, id = device.names
    element = SubElement(SubElement(root, "Devices"), "Device", {"name": name, "uuid": uuid, "id": id})
    written = {"device": element}
    for component, tag, parent in components(device):
        group = written[parent].find("Components")
        group = SubElement(written[parent], "Components") if group is None else group
        written[component] = SubElement(group, tag, {"id": component})
    for item in device.items:
        group = written[item.component].find("DataItems")
        group = SubElement(written[item.component], "DataItems") if group is None else group
        data_item = SubElement(group, "DataItem", {"id": item.id, **item.declared})
        if item.name:
            data_item.set("name", item.name)
        if item.source:
            SubElement(data_item, "Source").text = item.source
        if item.constant:
            SubElement(SubElement(data_item, "Constraints"), "Value").text = item.constant
        if item.initial:
            SubElement(data_item, "InitialValue").text = item.initial
    return bytes(ElementTree.tostring(root, encoding="utf-8"))


def components(device: Device) -> Iterator[tuple[str, str, str]]:
    """Yield each component with its tag and the one that contains it, from the outermost on."""
    yield "controller", "Controller", "device"
    for path in device.paths:
        yield path.execution.component, "Path", "controller"
    yield "axes", "Axes", "device"
    yield "axis", "Linear", "axes"
