"""Chooses the model by which a machine's logs are read: from a device model, or a ready-made one by the logs' keys."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.core.errors import ConfigurationError
from services.gateway.mtconnect.devices import choose_device, parse_devices
from services.gateway.mtconnect.dialects import DIALECTS, choose_dialect
from services.gateway.mtconnect.model import DeviceModel, Role
from services.gateway.mtconnect.tokenizer import protocol_message, split_fields


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where the models of a factory's machines come from.

    Attributes:
        devices: the device models of a document, if one is given.
        dialect: the ready-made model to use; None: chosen by the keys in the logs.
        names: by machine, the name, uuid or id of its device.
    """

    devices: Sequence[DeviceModel] = ()
    dialect: DeviceModel | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def choose(self, machine_id: str, lines: Iterable[str]) -> tuple[DeviceModel, frozenset[str]]:
        """Return the model of a machine, and names that its keys may be prefixed with besides the model's own.

        Args:
            lines: of its logs, from which the keys are taken.

        Raises:
            ConfigurationError: no model fits the logs, or several do.
        """
        wanted = self.names.get(machine_id)
        # Values are among them, as only a model tells which fields are keys; those that no model knows are left out.
        known = {key for model in self.devices or DIALECTS.values() for key in model.by_key}
        keys: set[str] = set()
        announced: set[str] = set()
        for line in lines:
            match protocol_message(line):
                case ("device", announced_name) if announced_name:
                    # An adapter names the device of the lines that follow.
                    announced.add(announced_name)
                case _:
                    fields = split_fields(line)[1:]
                    keys.update(field for field in fields if field in known or field.partition(":")[2] in known)
        if self.devices:
            # A device that is announced counts like a prefix of every key.
            keys |= {f"{name}:{key}" for name in announced for key in keys}
            return choose_device(self.devices, wanted, machine_id, keys), frozenset()
        name = choose_name(keys, announced, wanted, machine_id)
        local = {key.removeprefix(f"{name}:") for key in keys} if name else keys
        names = frozenset({name or machine_id})
        return self.dialect or choose_dialect(local, machine_id), names


def read_devices(path: Path) -> list[DeviceModel]:
    """Read a document of device models.

    Raises:
        ConfigurationError: it cannot be opened, or is no such document.
    """
    try:
        document = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The device model {path} cannot be read ({error.strerror}).") from error
    return parse_devices(document)


def choose_name(keys: Collection[str], announced: Collection[str], wanted: str | None, machine_id: str) -> str | None:
    """Return the name of a machine's device in logs without a device model; None if they name no device.

    Args:
        keys: of the logs; a device's name may stand before them, as in ``VMC1:execution``.
        announced: the devices that protocol messages name.

    Raises:
        ConfigurationError: the logs name several devices, and none of them as the machine.
    """
    executions = {model.of_role(Role.EXECUTION)[0].id for model in DIALECTS.values()}
    devices = {*announced, *(key.partition(":")[0] for key in keys if key.partition(":")[2] in executions)}
    for name in (wanted, machine_id):
        if name in devices:
            return name
    if not announced and not executions.isdisjoint(keys):
        return wanted
    if len(devices) > 1:
        raise ConfigurationError(
            f"The logs of {machine_id} are of the devices {', '.join(sorted(devices))}: "
            f"choose one with --device {machine_id}=NAME."
        )
    return next(iter(devices), wanted)
