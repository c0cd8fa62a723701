"""Builds device models of MTConnect for tests."""

from xml.sax.saxutils import quoteattr

from services.gateway.mtconnect.devices import parse_devices
from services.gateway.mtconnect.model import DataItem, DeviceModel, Role


def model(document: str | bytes) -> DeviceModel:
    (only,) = parse_devices(document.encode() if isinstance(document, str) else document)
    return only


def data_item(id: str, type: str, category: str = "EVENT", content: str = "", **attributes: str) -> str:
    given = {"id": id, "type": type, "category": category, **attributes}
    return f"<DataItem {' '.join(f'{k}={quoteattr(v)}' for k, v in given.items())}>{content}</DataItem>"


def sample(id: str, type: str, units: str = "PERCENT", **attributes: str) -> str:
    return data_item(id, type, "SAMPLE", **({"units": units} if units else {}), **attributes)


def component(tag: str, id: str, *content: str, name: str = "") -> str:
    """A component of data items and other components."""
    items = "".join(part for part in content if part.startswith("<DataItem "))
    inner = "".join(part for part in content if not part.startswith("<DataItem "))
    named = f" name={quoteattr(name)}" if name else ""
    return f"<{tag} id={quoteattr(id)}{named}><DataItems>{items}</DataItems><Components>{inner}</Components></{tag}>"


def device(*content: str) -> DeviceModel:
    return model(component("Device", "d", *content, name="M1"))


def roles_of(found: DeviceModel, role: Role) -> list[str]:
    return [item.id for item in found.of_role(role)]


def metrics_of(found: DeviceModel) -> dict[str, str]:
    return {item.id: item.metric for item in found.items if item.metric}


def the(found: DeviceModel, id: str) -> DataItem:
    (item,) = [item for item in found.items if item.id == id]
    return item
