"""The data items of a device as its model declares them, before anything is concluded from them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from xml.etree.ElementTree import Element

from services.gateway.mtconnect.document import children, local_name
from services.gateway.mtconnect.model import Form

MAX_LISTED = 5

REPRESENTATIONS = {"TIME_SERIES": Form.TIME_SERIES, "DATA_SET": Form.DATA_SET, "TABLE": Form.DATA_SET}
EVENTS = {
    "MESSAGE": Form.MESSAGE,
    "ALARM": Form.ALARM,
    "ASSET_ADDED": Form.ASSET_EVENT,
    "ASSET_CHANGED": Form.ASSET_EVENT,
    "ASSET_REMOVED": Form.ASSET_EVENT,
}
VECTOR_TYPES = {"PATH_POSITION", "ORIENTATION", "TRANSLATION", "ROTATION", "UNIT_VECTOR"}


class Category(Enum):
    """The three kinds of data items."""

    SAMPLE = "SAMPLE"
    EVENT = "EVENT"
    CONDITION = "CONDITION"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a device, or the device itself, which has no parent.

    Attributes:
        id: unique within the device.
        tag: its kind, as ``Path``.
    """

    id: str
    tag: str
    name: str = ""
    parent: "Component | None" = None

    def ancestors(self) -> Iterator["Component"]:
        """Yield the components that contain it, from the innermost to the device."""
        component = self.parent
        while component is not None:
            yield component
            component = component.parent

    @property
    def scope(self) -> tuple[str, ...]:
        """The ids of the components that contain it and its own, from the device down."""
        return (*reversed([component.id for component in self.ancestors()]), self.id)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A data item as declared. Texts are without blanks around them, and empty if missing; codes are in upper case."""

    id: str
    name: str
    source: str
    component: Component
    category: Category
    type: str
    sub_type: str
    representation: str
    units: str
    native_units: str
    native_scale: str
    statistic: str
    discrete: bool
    constant: str | None
    initial: str | None

    @property
    def form(self) -> Form:
        """What follows its key on a line."""
        if self.category is Category.CONDITION:
            return Form.CONDITION
        if self.representation in REPRESENTATIONS:
            return REPRESENTATIONS[self.representation]
        if self.units.endswith("_3D") or (not self.units and self.type in VECTOR_TYPES):
            return Form.VECTOR
        return EVENTS.get(self.type, Form.VALUE) if self.category is Category.EVENT else Form.VALUE


def read_declarations(device: Element) -> tuple[list[Declaration], list[str]]:
    """Read the data items of a ``Device`` element, in its order.

    Returns:
        The data items, and a remark for each kind of data item that is left out.
    """
    declarations: dict[str, Declaration] = {}
    incomplete: list[str] = []
    repeated: list[str] = []
    for component, element in _data_items(device):
        declaration = _declaration(component, element)
        if declaration is None:
            incomplete.append(_attribute(element, "id") or _attribute(element, "name") or "one without id and name")
        elif declaration.id in declarations:
            repeated.append(declaration.id)
        else:
            declarations[declaration.id] = declaration
    remarks = []
    if incomplete:
        remarks.append(
            "Data items without id, type, or category SAMPLE, EVENT or CONDITION are left out: "
            + listing(incomplete)
            + "."
        )
    if repeated:
        remarks.append(f"Data items whose id is that of an earlier one are left out: {listing(repeated)}.")
    return list(declarations.values()), remarks


def listing(names: Sequence[str]) -> str:
    """Join the first five of several names, and add how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def _data_items(device: Element) -> Iterator[tuple[Component, Element]]:
    components = [(Component(_attribute(device, "id") or "device", "Device", _attribute(device, "name")), device)]
    ids = {components[0][0].id}
    while components:
        component, element = components.pop()
        for items in children(element, "DataItems"):
            yield from ((component, item) for item in children(items, "DataItem"))
        inner = []
        for child in (child for group in children(element, "Components") for child in group):
            id = _unused(_attribute(child, "id") or local_name(child), ids)
            inner.append((Component(id, local_name(child), _attribute(child, "name"), component), child))
        components += reversed(inner)


def _unused(wanted: str, ids: set[str]) -> str:
    """Return an id that no component has yet, since hand-written models have components without one. Add it to ids."""
    id, number = wanted, 1
    while id in ids:
        number += 1
        id = f"{wanted}#{number}"
    ids.add(id)
    return id


def _declaration(component: Component, element: Element) -> Declaration | None:
    """Read a ``DataItem`` element. Returns None if it has no id, type or known category."""
    category = _attribute(element, "category").upper()
    id, type = _attribute(element, "id"), _attribute(element, "type").upper()
    if not id or not type or category not in Category.__members__:
        return None
    values = [value for group in children(element, "Constraints") for value in children(group, "Value")]
    return Declaration(
        id=id,
        name=_attribute(element, "name"),
        source=_text(element, "Source"),
        component=component,
        category=Category[category],
        type=type,
        sub_type=_attribute(element, "subType").upper(),
        representation=_attribute(element, "representation").upper(),
        units=_attribute(element, "units").upper(),
        native_units=_attribute(element, "nativeUnits").upper(),
        native_scale=_attribute(element, "nativeScale"),
        statistic=_attribute(element, "statistic").upper(),
        discrete=_attribute(element, "discrete").lower() in ("true", "1"),
        constant=((values[0].text or "").strip() or None) if len(values) == 1 else None,
        initial=_text(element, "InitialValue") or None,
    )


def _attribute(element: Element, name: str) -> str:
    return element.get(name, "").strip()


def _text(element: Element, name: str) -> str:
    """Return the text of the first child of a name."""
    return next(((child.text or "").strip() for child in children(element, name)), "")
