"""The gateway's commands: replay recorded logs, make a signing key."""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from schemas.wire.limits import FACTORY_ID, LOCAL_ID
from services.core.errors import ConfigurationError
from services.core.options import parse_speed
from services.gateway.dialects import DIALECTS

if TYPE_CHECKING:
    from services.gateway.replay import MachineReport

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_commands(commands: Subparsers) -> Subparsers:
    """Register ``gateway replay`` and ``gateway keygen``; returns the group, so that more can be added to it."""
    gateway = commands.add_parser("gateway", help="factory gateway: replay logs, make a key, simulate a fleet")
    actions = gateway.add_subparsers(required=True, metavar="ACTION")

    replay = actions.add_parser("replay", help="send recorded SHDR logs of one factory's machines")
    replay.add_argument("--factory", required=True, metavar="ID")
    replay.add_argument("--gateway-id", required=True, metavar="ID")
    replay.add_argument("--key-id", required=True, metavar="ID", help="the registered key that signs")
    replay.add_argument(
        "--private-key", required=True, type=Path, metavar="FILE", help="as `jejo gateway keygen` made it"
    )
    replay.add_argument(
        "--machine",
        required=True,
        action="append",
        metavar="ID=FILE[,FILE...]",
        help="a machine and its logs in order, plain or gz; a FILE may be a pattern such as 'logs/*.gz'",
    )
    replay.add_argument("--dialect", choices=tuple(DIALECTS), help="default: by the keys in the logs")
    replay.add_argument("--readings", choices=("known", "none"), default="known", help="send measurements too")
    replay.add_argument("--reassert-s", type=int, default=60, help="assert a state again this often; at most the TTL")
    replay.add_argument("--speed", default="max", help="times faster than the logs' own clock, or max (default)")
    replay.add_argument("--shuffle-seed", type=int, metavar="N", help="send the records in an order drawn from N")
    replay.add_argument("--duplicate", action="store_true", help="send every record twice")
    replay.add_argument("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
    replay.set_defaults(run=run_replay)

    keygen = actions.add_parser("keygen", help="make a signing key and print its public key")
    keygen.add_argument("--out", required=True, type=Path, metavar="FILE")
    keygen.set_defaults(run=run_keygen)
    return actions


def run_keygen(args: argparse.Namespace) -> int:
    """Make a key; its public half goes to standard output, alone."""
    from services.gateway.keys import create_key

    print(create_key(args.out))
    return 0


def run_replay(args: argparse.Namespace) -> int:
    """Replay logs and say what became of them."""
    from tqdm import tqdm

    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.core.times import SECOND_US
    from services.gateway.keys import read_key
    from services.gateway.record import RecordWriter, new_boot_id
    from services.gateway.replay import at_once, paced, shuffled, translate_factory

    speed = parse_speed(args.speed)
    if speed is not None and args.shuffle_seed is not None:
        raise ConfigurationError("--shuffle-seed leaves no clock to follow: leave --speed out.")
    if args.reassert_s < 1:
        raise ConfigurationError("--reassert-s must be at least 1.")
    machines = parse_machines(args.machine)
    writer = RecordWriter(
        factory_id=checked(FACTORY_ID, args.factory, "--factory"),
        gateway_id=checked(LOCAL_ID, args.gateway_id, "--gateway-id"),
        key_id=checked(LOCAL_ID, args.key_id, "--key-id"),
        seed=read_key(args.private_key),
        boot_id=new_boot_id(system_clock()),
    )
    settings = read_settings(Settings)
    rows, reports = translate_factory(
        machines, DIALECTS.get(args.dialect), args.reassert_s * SECOND_US, readings=args.readings == "known"
    )
    print_reports(reports)

    # Only now: Kafka's client takes a second to import, and nothing before needed it.
    from services.gateway.sender import Sender

    records = at_once(rows, writer, system_clock) if speed is None else paced(rows, writer, system_clock, speed)
    total = len(rows) * (2 if args.duplicate else 1)
    servers = args.bootstrap_servers or settings.kafka_bootstrap_servers
    with Sender(servers, settings.telemetry_topic) as sender, tqdm(total=total, unit="row", disable=None) as bar:
        for record in shuffled(records, args.shuffle_seed, duplicate=args.duplicate):
            sender.send(record)
            bar.update(record.rows)
        sender.flush()
    print(f"{args.factory}: {sender.acknowledged} records with {total} rows arrived")
    return 0


def print_reports(reports: "Iterable[MachineReport]") -> None:
    """A line for each machine on standard output; what could not be read on standard error."""
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


def parse_machines(texts: list[str]) -> dict[str, list[Path]]:
    """The logs of each machine, from ``ID=FILE[,FILE...]``; a pattern stands for the files it matches, by name.

    Raises:
        ConfigurationError: an argument is not of that form, names no file, or a machine comes twice.
    """
    machines: dict[str, list[Path]] = {}
    for text in texts:
        machine_id, _, names = text.partition("=")
        checked(LOCAL_ID, machine_id, "--machine")
        if machine_id in machines:
            raise ConfigurationError(f"--machine {machine_id} is given twice: give its files once, by comma.")
        paths = [path for name in names.split(",") if name for path in expand(name)]
        if not paths:
            raise ConfigurationError(f"--machine {text} names no file that exists: write ID=FILE[,FILE...].")
        machines[machine_id] = paths
    return machines


def expand(name: str) -> list[Path]:
    """The files that a name or a pattern stands for."""
    import glob

    return [Path(found) for found in sorted(glob.glob(name))] if glob.has_magic(name) else [Path(name)]


def checked(pattern: re.Pattern[str], text: str, option: str) -> str:
    """``text``, if it is an id.

    Raises:
        ConfigurationError: it is not.
    """
    if not pattern.fullmatch(text):
        raise ConfigurationError(f"{option} {text!r} is no id: it must match {pattern.pattern}.")
    return text
