"""The commands `jejo gateway keygen` and `jejo gateway replay`; `simulate` is the simulator's."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.wire.limits import FACTORY_ID, LOCAL_ID
from services.core.errors import ConfigurationError
from services.core.options import parse_speed
from services.gateway.dialects import DIALECTS

if TYPE_CHECKING:
    from services.gateway.replay import MachineReport


@click.group("gateway", no_args_is_help=False)
def gateway() -> None:
    """Replay logs, create a signing key, simulate a fleet."""


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
@click.option("--factory", required=True, metavar="ID", help="the factory whose machines these are")
@click.option("--gateway-id", required=True, metavar="ID", help="the gateway that sends the records")
@click.option("--key-id", required=True, metavar="ID", help="the registered key that signs")
@click.option(
    "--private-key",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="as `jejo gateway keygen` created it",
)
@click.option(
    "--machine",
    "machines",
    required=True,
    multiple=True,
    metavar="ID=FILE[,FILE...]",
    help="a machine and its logs in order, plain or gz; a FILE may be a pattern such as 'logs/*.gz'; repeatable",
)
@click.option("--dialect", type=click.Choice(tuple(DIALECTS)), help="default: by the keys in the logs")
@click.option(
    "--readings", type=click.Choice(("known", "none")), default="known", show_default=True, help="send measurements too"
)
@click.option(
    "--reassert-s",
    type=int,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="assert a state again this often; at most the TTL",
)
@click.option(
    "--speed", default="max", show_default=True, metavar="FACTOR", help="times faster than the logs' own clock, or max"
)
@click.option("--shuffle-seed", type=int, metavar="N", help="send the records in an order drawn from N")
@click.option("--duplicate", is_flag=True, help="send every record twice")
@click.option("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
def replay_logs(
    factory: str,
    gateway_id: str,
    key_id: str,
    private_key: Path,
    machines: tuple[str, ...],
    dialect: str | None,
    readings: str,
    reassert_s: int,
    speed: str,
    shuffle_seed: int | None,
    duplicate: bool,
    bootstrap_servers: str | None,
) -> int:
    """Send recorded SHDR logs of one factory's machines.

    Prints what was read of each machine, and how many records arrived.
    """
    from tqdm import tqdm

    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.core.times import SECOND_US
    from services.gateway.keys import read_key
    from services.gateway.records import RecordWriter, new_boot_id
    from services.gateway.replay import at_once, paced, shuffled, translate_factory

    factor = parse_speed(speed)
    if factor is not None and shuffle_seed is not None:
        raise ConfigurationError("--shuffle-seed leaves no clock to follow: leave --speed out.")
    if reassert_s < 1:
        raise ConfigurationError("--reassert-s must be at least 1.")
    logs = parse_machines(machines)
    writer = RecordWriter(
        factory_id=checked(FACTORY_ID, factory, "--factory"),
        gateway_id=checked(LOCAL_ID, gateway_id, "--gateway-id"),
        key_id=checked(LOCAL_ID, key_id, "--key-id"),
        seed=read_key(private_key),
        boot_id=new_boot_id(system_clock()),
    )
    settings = read_settings(Settings)
    rows, reports = translate_factory(
        logs, DIALECTS[dialect] if dialect else None, reassert_s * SECOND_US, readings=readings == "known"
    )
    print_reports(reports)

    # Imported late: Kafka's client is slow to import, and everything above can fail without it.
    from services.gateway.sender import Sender

    records = at_once(rows, writer, system_clock) if factor is None else paced(rows, writer, system_clock, factor)
    total = len(rows) * (2 if duplicate else 1)
    servers = bootstrap_servers or settings.kafka_bootstrap_servers
    with Sender(servers, settings.telemetry_topic) as sender, tqdm(total=total, unit="row", disable=None) as bar:
        for record in shuffled(records, shuffle_seed, duplicate=duplicate):
            sender.send(record)
            bar.update(record.rows)
        sender.flush()
    print(f"{factory}: {sender.acknowledged} records with {total} rows arrived")
    return 0


COMMANDS: tuple[click.Command, ...] = (gateway,)


def print_reports(reports: "Iterable[MachineReport]") -> None:
    """Print a line for each machine to standard output, and examples of what was not read to standard error."""
    for report in reports:
        tally, unused = report.tally, report.unused
        print(
            f"{report.machine_id}: {report.dialect}, {tally.lines} lines ({tally.malformed} malformed, "
            f"{tally.assets} of assets, {tally.protocol} of protocol), {report.rows} rows, "
            f"{unused.ignored.total()} samples of {len(unused.ignored)} other keys ignored"
        )
        for example in tally.examples:
            print(f"{report.machine_id}: malformed: {example}", file=sys.stderr)
        for sample, times in unused.unreadable.most_common(5):
            print(f"{report.machine_id}: unreadable value: {sample} ({times} times)", file=sys.stderr)


def parse_machines(texts: Sequence[str]) -> dict[str, list[Path]]:
    """Parse ``ID=FILE[,FILE...]`` to the logs of each machine; a pattern expands to the files it matches, by name.

    Raises:
        ConfigurationError: an argument is not of that form or names no file, or a machine is given twice.
    """
    machines: dict[str, list[Path]] = {}
    for text in texts:
        machine_id, _, names = text.partition("=")
        checked(LOCAL_ID, machine_id, "--machine")
        if machine_id in machines:
            raise ConfigurationError(
                f"--machine {machine_id} is given twice: give all of its files at once, separated by commas."
            )
        paths = [path for name in names.split(",") if name for path in expand(name)]
        if not paths:
            raise ConfigurationError(f"--machine {text} names no file that exists: write ID=FILE[,FILE...].")
        machines[machine_id] = paths
    return machines


def expand(name: str) -> list[Path]:
    """Return the files that a name or a pattern stands for."""
    import glob

    return [Path(found) for found in sorted(glob.glob(name))] if glob.has_magic(name) else [Path(name)]


def checked(pattern: re.Pattern[str], text: str, option: str) -> str:
    """Return ``text`` if it matches the pattern of an id.

    Raises:
        ConfigurationError: it does not.
    """
    if not pattern.fullmatch(text):
        raise ConfigurationError(f"{option} {text!r} is not an id: it must match {pattern.pattern}.")
    return text
