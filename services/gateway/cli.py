"""The gateway's commands: replay recorded logs, make a signing key, simulate a fleet."""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.wire.limits import FACTORY_ID, LOCAL_ID
from services.core.errors import ConfigurationError
from services.gateway.dialects import DIALECTS

if TYPE_CHECKING:
    from services.gateway.replay import MachineReport


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``gateway replay``, ``gateway keygen`` and ``gateway simulate``."""
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

    simulate = actions.add_parser("simulate", help="stream a made-up fleet until stopped")
    simulate.add_argument("--factories", type=int, default=3, metavar="N")
    simulate.add_argument("--machines", type=int, default=5, metavar="M", help="in each factory")
    simulate.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed is the same fleet")
    simulate.add_argument("--api-url", metavar="URL", help="register the fleet there first")
    simulate.add_argument("--api-key", metavar="KEY", help="an admin's; default: JEJO_API_KEY")
    simulate.add_argument("--backfill-hours", type=amount, default=2, metavar="H", help="history to send first")
    simulate.add_argument("--speed", default="max", help="how many times real time the history is sent at, or max")
    simulate.add_argument("--duration", type=amount, metavar="SECONDS", help="stop then; default: never")
    simulate.add_argument("--readings-every", type=amount, default=5, metavar="SECONDS", help="0: no readings")
    simulate.add_argument("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
    simulate.set_defaults(run=run_simulate)


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


def run_simulate(args: argparse.Namespace) -> int:
    """Simulate a fleet until SIGINT or SIGTERM."""
    import signal
    import threading

    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.core.times import HOUR_US, SECOND_US, seoul_day
    from services.gateway.fleet import make_fleet
    from services.gateway.simulate import Course, Simulation

    if not (1 <= args.factories <= 999_999 and 1 <= args.machines <= 99):
        raise ConfigurationError("--factories must be 1 to 999999 and --machines 1 to 99.")
    course = Course(
        backfill_us=round(args.backfill_hours * HOUR_US),
        speed=parse_speed(args.speed, minimum=1),
        duration_us=None if args.duration is None else round(args.duration * SECOND_US),
        readings_us=round(args.readings_every * SECOND_US),
    )
    fleet = make_fleet(args.seed, args.factories, args.machines)
    settings = read_settings(Settings)
    if args.api_url:
        from services.gateway.registration import register_fleet

        api_key = args.api_key or os.environ.get("JEJO_API_KEY")
        if not api_key:
            raise ConfigurationError("--api-url needs an admin's key: give --api-key or set JEJO_API_KEY.")
        in_use_from = seoul_day(system_clock() - course.backfill_us)
        register_fleet(args.api_url, api_key, args.seed, fleet, in_use_from)

    from services.gateway.sender import Sender

    servers = args.bootstrap_servers or settings.kafka_bootstrap_servers
    stop = threading.Event()
    with Sender(servers, settings.telemetry_topic, stop=stop) as sender:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        simulation = Simulation(args.seed, fleet, sender, system_clock, stop)
        simulation.run(course)
        print(f"{len(fleet)} factories: {sender.acknowledged} records with {simulation.rows} rows arrived")
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


def parse_speed(text: str, minimum: float = 0) -> float | None:
    """A factor above 0 and not below ``minimum``; None for ``max``.

    Raises:
        ConfigurationError: it is neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not (minimum <= speed < float("inf") and speed > 0):
        raise ConfigurationError(f"--speed {text}: write a number{' of at least 1' if minimum else ''}, or max.")
    return speed


def amount(text: str) -> float:
    """A number of at least 0, for argparse.

    Raises:
        ValueError: it is none.
    """
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def checked(pattern: re.Pattern[str], text: str, option: str) -> str:
    """``text``, if it is an id.

    Raises:
        ConfigurationError: it is not.
    """
    if not pattern.fullmatch(text):
        raise ConfigurationError(f"{option} {text!r} is no id: it must match {pattern.pattern}.")
    return text
