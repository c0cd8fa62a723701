"""The commands `jejo gateway keygen`, `replay` and `send`; `simulate` is the simulator's."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.wire.limits import FACTORY_ID, LOCAL_ID
from services.core.errors import ConfigurationError
from services.core.options import parse_speed

if TYPE_CHECKING:
    from services.gateway.records import RecordWriter, Row

DIALECT_NAMES = ("mazak", "hurco", "okuma")


@click.group("gateway", no_args_is_help=False)
def gateway() -> None:
    """Replay logs, simulate a fleet, create a signing key."""


@gateway.command("keygen")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="a new file for the key")
def create_signing_key(out: Path) -> int:
    """Create a signing key and print its public key.

    The public key is alone on standard output.
    """
    from services.gateway.keys import create_key

    print(create_key(out))
    return 0


@gateway.command("replay")
@click.option("--factory", metavar="ID", help="the factory whose machines these are")
@click.option("--gateway-id", metavar="ID", help="the gateway that sends the records")
@click.option("--key-id", metavar="ID", help="the registered key that signs")
@click.option(
    "--private-key", type=click.Path(path_type=Path), metavar="FILE", help="as `jejo gateway keygen` created it"
)
@click.option(
    "--machine",
    "machines",
    required=True,
    multiple=True,
    metavar="ID=FILE[,FILE...]",
    help="a machine and all of its logs, plain or gz; a FILE may be a pattern such as 'logs/*.gz'; repeatable",
)
@click.option(
    "--devices",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="the machines' device models (Devices.xml, the answer to /probe)",
)
@click.option(
    "--device",
    "device_names",
    multiple=True,
    metavar="[MACHINE=]NAME",
    help="a machine's device: its name, uuid or id; default: by the machine's id or the keys in the logs; repeatable",
)
@click.option(
    "--dialect",
    type=click.Choice(DIALECT_NAMES),
    help="without --devices: the ready-made model; default: by the keys in the logs",
)
@click.option(
    "--readings",
    type=click.Choice(("known", "none")),
    default="known",
    show_default=True,
    help="send measurements: known, all that have a unit in the model; none, states and counts only",
)
@click.option(
    "--units",
    type=click.Choice(("native", "model")),
    default="native",
    show_default=True,
    help="with --devices: numbers are in the machine's own units, or in the model's, as an agent converts them",
)
@click.option(
    "--ideal-cycle-s",
    "ideal_cycles",
    multiple=True,
    metavar="[MACHINE=]SECONDS",
    help="the least time that a piece takes: counters that rise more than 3 times as fast are not counted; repeatable",
)
@click.option(
    "--reassert-s",
    type=int,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="while lines arrive, assert a state again this often; at most the TTL",
)
@click.option(
    "--speed", default="max", show_default=True, metavar="FACTOR", help="times faster than the logs' own clock, or max"
)
@click.option("--shuffle-seed", type=int, metavar="N", help="send the records in an order drawn from N")
@click.option("--duplicate", is_flag=True, help="send every record twice")
@click.option("--dry-run", is_flag=True, help="print what would be sent instead of sending it; needs no key")
@click.option("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
def replay_logs(
    factory: str | None,
    gateway_id: str | None,
    key_id: str | None,
    private_key: Path | None,
    machines: tuple[str, ...],
    devices: Path | None,
    device_names: tuple[str, ...],
    dialect: str | None,
    readings: str,
    units: str,
    ideal_cycles: tuple[str, ...],
    reassert_s: int,
    speed: str,
    shuffle_seed: int | None,
    duplicate: bool,
    dry_run: bool,
    bootstrap_servers: str | None,
) -> int:
    """Send recorded SHDR logs of one factory's machines.

    Prints what was read of each machine, and how many records arrived. What could not be used is reported on standard
    error: each kind of problem with its number, its first places (FILE:LINE:COLUMN) and what to do.
    """
    from services.core.times import SECOND_US
    from services.gateway.arguments import parse_device_names, parse_ideal_cycles, parse_machines
    from services.gateway.models import ModelSource, read_devices
    from services.gateway.mtconnect.dialects import DIALECTS
    from services.gateway.replay import Options, translate_factory
    from services.gateway.report import problem_lines, row_line, summary

    factor = parse_speed(speed)
    if factor is not None and shuffle_seed is not None:
        raise ConfigurationError("--shuffle-seed leaves no clock to follow: leave --speed out.")
    if reassert_s < 1:
        raise ConfigurationError("--reassert-s must be at least 1.")
    if devices is not None and dialect is not None:
        raise ConfigurationError("--dialect is for logs without a device model: leave it out, or --devices.")
    writer = None if dry_run else new_writer(factory, gateway_id, key_id, private_key)
    logs = parse_machines(machines)
    names = parse_device_names(device_names, list(logs))
    models = ModelSource(read_devices(devices) if devices else (), DIALECTS[dialect] if dialect else None, names)
    options = Options(
        reassert_s * SECOND_US, readings == "known", units == "native", parse_ideal_cycles(ideal_cycles, list(logs))
    )
    rows, reports = translate_factory(logs, models, options)
    if dry_run:
        for row in rows:
            print(row_line(row))
    for report in reports:
        print(summary(report), flush=True)
        for line in problem_lines(report):
            print(line, file=sys.stderr, flush=True)
    if not rows:
        raise ConfigurationError("The logs give nothing to send: see the report above, and check the device model.")
    if writer is not None:
        records = send_rows(
            [row.row for row in rows], writer, factor, shuffle_seed, bootstrap_servers, duplicate=duplicate
        )
        print(f"{factory}: {records} records with {len(rows) * (2 if duplicate else 1)} rows arrived")
    return 0


@gateway.command("send")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
def send_file(file: Path, bootstrap_servers: str | None) -> int:
    """Send a file of prepared records, as fast as Kafka takes them.

    `jejo gateway simulate --prepare FILE` writes such a file. It can be sent again: nothing is counted twice.
    """
    from tqdm import tqdm

    from services.core.settings import Settings, read_settings
    from services.gateway.record_files import read_records
    from services.gateway.sender import Sender

    settings = read_settings(Settings)
    servers = bootstrap_servers or settings.kafka_bootstrap_servers
    rows = 0
    with Sender(servers, settings.telemetry_topic) as sender, tqdm(unit="row", disable=None) as bar:
        for record in read_records(file):
            sender.send(record)
            rows += record.rows
            bar.update(record.rows)
        sender.flush()
    print(f"{file}: {sender.acknowledged} records with {rows} rows arrived")
    return 0


COMMANDS: tuple[click.Command, ...] = (gateway,)


def new_writer(
    factory: str | None, gateway_id: str | None, key_id: str | None, private_key: Path | None
) -> "RecordWriter":
    """Return the writer of a factory's signed records.

    Raises:
        ConfigurationError: an option is missing or no id, or the key cannot be read.
    """
    from services.core.clock import system_clock
    from services.gateway.arguments import checked
    from services.gateway.keys import read_key
    from services.gateway.records import RecordWriter, new_boot_id

    if factory is None or gateway_id is None or key_id is None or private_key is None:
        raise ConfigurationError(
            "To send, --factory, --gateway-id, --key-id and --private-key are needed; to look only, --dry-run."
        )
    return RecordWriter(
        factory_id=checked(FACTORY_ID, factory, "--factory"),
        gateway_id=checked(LOCAL_ID, gateway_id, "--gateway-id"),
        key_id=checked(LOCAL_ID, key_id, "--key-id"),
        seed=read_key(private_key),
        boot_id=new_boot_id(system_clock()),
    )


def send_rows(
    rows: "list[Row]",
    writer: "RecordWriter",
    speed: float | None,
    shuffle_seed: int | None,
    bootstrap_servers: str | None,
    *,
    duplicate: bool,
) -> int:
    """Send rows, and show how far it is. Return the number of records that arrived.

    Raises:
        JejoError: they did not; see ``Sender``.
    """
    from tqdm import tqdm

    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.gateway.replay import at_once, paced, shuffled

    # Imported late: Kafka's client is slow to import, and everything before can fail without it.
    from services.gateway.sender import Sender

    settings = read_settings(Settings)
    records = at_once(rows, writer, system_clock) if speed is None else paced(rows, writer, system_clock, speed)
    servers = bootstrap_servers or settings.kafka_bootstrap_servers
    total = len(rows) * (2 if duplicate else 1)
    with Sender(servers, settings.telemetry_topic) as sender, tqdm(total=total, unit="row", disable=None) as bar:
        for record in shuffled(records, shuffle_seed, duplicate=duplicate):
            sender.send(record)
            bar.update(record.rows)
        sender.flush()
    return sender.acknowledged
