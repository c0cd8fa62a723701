"""Reads device models and chooses the one of a machine. Pure.

``document`` reads the XML, ``declarations`` its data items; ``roles`` decides what they are used for, ``metrics`` names
the measurements among them. Keys are given here.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element

from services.core.errors import ConfigurationError
from services.gateway.mtconnect.declarations import Declaration, read_declarations
from services.gateway.mtconnect.document import read_document
from services.gateway.mtconnect.metrics import Metric, name_metrics
from services.gateway.mtconnect.model import DataItem, DeviceModel, Role
from services.gateway.mtconnect.roles import Use, assign_roles


def parse_devices(document: bytes) -> list[DeviceModel]:
    """Read the devices of an MTConnectDevices document of any version. An agent's device of its own is left out.

    Raises:
        ConfigurationError: the document is not a device model, or has no device.
    """
    read = read_document(document)
    models = [_model(device, read.version) for device in read.devices]
    keys = frozenset(key for model in models for key in model.by_key)
    return [replace(model, foreign_keys=keys.difference(model.by_key)) for model in models]


def choose_device(
    models: Sequence[DeviceModel], wanted: str | None, machine_id: str, keys: Collection[str]
) -> DeviceModel:
    """Choose the device that describes a machine.

    It is the one wanted; else the one called like the machine; else the only one; else the one that knows most of the
    keys of the machine's log.

    Args:
        models: one or more.
        wanted: a device's name, uuid or id, or None.
        machine_id: as registered.
        keys: those in the machine's log; a key may be prefixed by a device, as in ``VMC1:execution``.

    Raises:
        ConfigurationError: there is no such device, or none is the best.
    """
    present = ", ".join(model.name for model in models)
    for name in (machine_id,) if wanted is None else (wanted,):
        if called := next((model for model in models if name in model.names), None):
            return called
    if wanted is not None:
        raise ConfigurationError(f"The device model has no device {wanted}, but {present}: name one of these.")
    if len(models) == 1:
        return models[0]
    known = [sum(_knows(model, key) for key in set(keys)) for model in models]
    if max(known) > 0 and known.count(max(known)) == 1:
        return models[known.index(max(known))]
    raise ConfigurationError(
        f"The device model has the devices {present}, and it is not clear which of them is machine {machine_id}: "
        "choose it with --device MACHINE=NAME."
    )


def _knows(model: DeviceModel, key: str) -> bool:
    prefix, _, rest = key.partition(":")
    return key in model.by_key or (prefix in model.names and rest in model.by_key)


def _model(device: Element, version: tuple[int, int]) -> DeviceModel:
    declarations, remarks = read_declarations(device)
    keys, key_remarks = _keys(declarations)
    uses, role_remarks = assign_roles(declarations)
    metrics, metric_remarks = name_metrics(declarations, uses)
    names = [name for name in (device.get(kind, "").strip() for kind in ("name", "uuid", "id")) if name]
    return DeviceModel(
        name=names[0] if names else "(a device without name, uuid and id)",
        names=frozenset(names),
        items=tuple(
            _item(declaration, keys[declaration.id], uses.get(declaration.id), metrics.get(declaration.id))
            for declaration in declarations
        ),
        version=version,
        remarks=(*remarks, *key_remarks, *role_remarks, *metric_remarks),
    )


def _item(declaration: Declaration, keys: Sequence[str], use: Use | None, metric: Metric | None) -> DataItem:
    is_counter = use is not None and use.role is Role.PART_COUNT
    return DataItem(
        id=declaration.id,
        keys=tuple(keys),
        form=declaration.form,
        scope=declaration.component.scope,
        role=use.role if use else None,
        parts=use.parts if use else None,
        counts_each=is_counter and (declaration.discrete or declaration.representation == "DISCRETE"),
        metric=metric.name if metric else None,
        conversion=metric.conversion if metric else None,
        constant=declaration.constant,
        initial=declaration.initial,
    )


def _keys(declarations: Sequence[Declaration]) -> tuple[dict[str, list[str]], list[str]]:
    """Give each data item the keys by which a log may name it: its id, its name and its source, in this precedence.

    Returns:
        The keys by id, and a remark for each key that another data item has already.
    """
    owners = {item.id: item for item in declarations}
    keys = {item.id: [item.id] for item in declarations}
    remarks = []
    for kind, key, item in _further_keys(declarations):
        owner = owners.setdefault(key, item)
        if owner is not item:
            remarks.append(f"The {kind} {key} of data item {item.id} means data item {owner.id}, which has it already.")
        elif key not in keys[item.id]:
            keys[item.id].append(key)
    return keys, remarks


def _further_keys(declarations: Sequence[Declaration]) -> Iterator[tuple[str, str, Declaration]]:
    yield from (("name", item.name, item) for item in declarations if item.name)
    yield from (("source", item.source, item) for item in declarations if item.source)
