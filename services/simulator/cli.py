"""The command ``gateway simulate``: what it takes, and how the parts of a simulation are put together."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from click.core import ParameterSource

from services.core.errors import ConfigurationError
from services.core.options import parse_speed

if TYPE_CHECKING:
    from services.core.clock import Clock
    from services.simulator.changes import Change
    from services.simulator.fleet import Factory
    from services.simulator.progress import Progress

MOST_FACTORIES, MOST_MACHINES, MOST_DAYS = 999_999, 99, 3650


def amount(text: str | float) -> float:
    """Parse a finite number of at least 0; also takes the numbers of defaults.

    Raises:
        BadParameter: it is not one.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise click.BadParameter(f"{text!r} is not a number of at least 0")
    return value


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """What the command line asks for; each field is the option of its name."""

    factories: int
    machines: int | None
    seed: int
    trouble: float
    api_url: str | None
    api_key: str | None
    registry_csv: Path | None
    backfill_hours: float
    backfill_days: float | None
    speed: str
    until: str | None
    duration: float | None
    readings_every: float
    progress: Path | None
    truth: Path | None
    bootstrap_servers: str | None

    @classmethod
    def of(cls, context: click.Context) -> Self:
        """The options of a parsed command line.

        Raises:
            UsageError: both lengths of history are given.
        """
        if (
            context.get_parameter_source("backfill_hours") is ParameterSource.COMMANDLINE
            and context.params["backfill_days"] is not None
        ):
            raise click.UsageError("give --backfill-hours or --backfill-days, not both", context)
        return cls(**context.params)


FILE = click.Path(path_type=Path)


@click.command("simulate")
@click.option("--factories", type=int, default=3, show_default=True, metavar="N", help="number of factories")
@click.option("--machines", type=int, metavar="M", help="in each factory; default: by its size")
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="the same seed makes the same fleet")
@click.option(
    "--trouble", type=amount, default=1, show_default=True, metavar="T", help="times as many mishaps as usual"
)
@click.option("--api-url", metavar="URL", help="register the fleet there first")
@click.option("--api-key", metavar="KEY", help="an admin's; default: JEJO_API_KEY")
@click.option("--registry-csv", type=FILE, metavar="FILE", help="write the fleet for `jejo registry import`, and end")
@click.option("--backfill-hours", type=amount, default=2, show_default=True, metavar="H", help="history to send first")
@click.option("--backfill-days", type=amount, metavar="D", help="the same, from the midnight in Seoul before")
@click.option(
    "--speed",
    default="max",
    show_default=True,
    metavar="FACTOR",
    help="how many times real time the history is sent at, or max",
)
@click.option("--until", metavar="INSTANT", help="send the history before it, and nothing else")
@click.option("--duration", type=amount, metavar="SECONDS", help="stop then; default: never")
@click.option(
    "--readings-every",
    type=amount,
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="readings of a few factories, from now on; 0: none",
)
@click.option("--progress", type=FILE, metavar="FILE", help="remember how far was sent, and go on there")
@click.option("--truth", type=FILE, metavar="FILE", help="write what the API must answer, at the end")
@click.option("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
@click.pass_context
def simulate(context: click.Context, /, **_: object) -> int:
    """Stream a made-up fleet until stopped."""
    return run_simulate(SimulateOptions.of(context))


def run_simulate(args: SimulateOptions) -> int:
    """Simulate a fleet until SIGINT or SIGTERM, or the end of what was asked for."""
    import signal
    import threading

    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.core.times import SECOND_US, seoul_day
    from services.simulator.changes import changes
    from services.simulator.fleet import make_fleet
    from services.simulator.simulate import Course, Simulation
    from services.simulator.source import World

    check_sizes(args)
    speed = parse_speed(args.speed, minimum=1)
    progress = find_progress(args, system_clock)
    world = World(args.seed, progress.begin_us, args.trouble)
    fleet = make_fleet(args.seed, args.factories, args.machines)
    changed = changes(args.seed, fleet, progress.begin_us, progress.history_end_us, args.trouble)
    settings = read_settings(Settings)
    if args.api_url:
        register(args.api_url, args.api_key, args.seed, fleet, changed, progress)
    progress.note(progress.sent_us, 0)
    if args.registry_csv:
        from services.simulator.registry_file import write_registry

        write_registry(args.registry_csv, args.seed, fleet, seoul_day(progress.begin_us), changed)
        return 0

    # Only now: Kafka's client takes a second to import, and nothing before needed it.
    from services.gateway import Sender

    servers = args.bootstrap_servers or settings.kafka_bootstrap_servers
    stop = threading.Event()
    with Sender(servers, settings.telemetry_topic, stop=stop) as sender:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        simulation = Simulation(world, fleet, sender, system_clock, stop)
        course = Course(
            from_us=progress.sent_us,
            until_us=parse_until(args.until),
            speed=speed,
            duration_us=None if args.duration is None else round(args.duration * SECOND_US),
            readings_us=round(args.readings_every * SECOND_US),
        )
        collect_garbage_seldom()
        simulation.run(course, note=progress.note)
        print(f"{len(fleet)} factories: {sender.acknowledged} records with {simulation.rows} rows arrived")
    if args.truth:
        from services.simulator.truth_file import write_truth

        in_use_from = seoul_day(progress.begin_us)
        write_truth(args.truth, world, fleet, changed, simulation.sent_us, in_use_from)
    return 0


def check_sizes(args: SimulateOptions) -> None:
    """See that the fleet can be made.

    Raises:
        ConfigurationError: it cannot.
    """
    if not (1 <= args.factories <= MOST_FACTORIES and 1 <= (args.machines or 1) <= MOST_MACHINES):
        raise ConfigurationError(f"--factories must be 1 to {MOST_FACTORIES} and --machines 1 to {MOST_MACHINES}.")
    if (args.backfill_days or 0) > MOST_DAYS or args.backfill_hours > 24 * MOST_DAYS:
        raise ConfigurationError(f"--backfill-days and --backfill-hours must be at most {MOST_DAYS} days.")
    if args.until is not None and (args.duration is not None or args.speed != "max"):
        raise ConfigurationError("--until sends history alone, at once: leave --duration and --speed out.")
    if args.truth and not args.truth.parent.is_dir():
        raise ConfigurationError(f"--truth {args.truth}: there is no folder {args.truth.parent}; choose another place.")


def find_progress(args: SimulateOptions, clock: "Clock") -> "Progress":
    """Where the world begins and how far it was sent: as remembered, or as asked for.

    Raises:
        ConfigurationError: history is to end in the future, or what is remembered is of another fleet.
    """
    from services.core.times import HOUR_US, SEOUL_OFFSET_US, floor_to
    from services.simulator.progress import Progress

    now_us = clock()
    end_us = parse_until(args.until) or now_us
    if end_us > now_us:
        raise ConfigurationError(f"--until {args.until} lies ahead: the platform refuses rows that do.")
    if args.backfill_days is None:
        begin_us = end_us - round(args.backfill_hours * HOUR_US)
    else:
        back_us = round(args.backfill_days * 24 * HOUR_US)
        begin_us = floor_to(end_us - back_us + SEOUL_OFFSET_US, 24 * HOUR_US) - SEOUL_OFFSET_US
    machines = args.machines or "as many machines as their size suggests"
    fleet = f"{args.factories} factories with {machines}, seed {args.seed}, trouble {args.trouble:g}"
    # Of whole milliseconds, as everything that is simulated.
    return Progress.read(args.progress, fleet, begin_us // 1000 * 1000, end_us)


def parse_until(text: str | None) -> int | None:
    """The instant, in microseconds.

    Raises:
        ConfigurationError: it is none.
    """
    from schemas.wire.instants import parse_text

    if text is None:
        return None
    found = parse_text(text)
    if found is None or found % 1000:
        raise ConfigurationError(f"--until {text}: write RFC 3339 with an offset, as 2026-11-22T00:00:00+09:00.")
    return found


def register(
    api_url: str,
    api_key: str | None,
    seed: int,
    fleet: "tuple[Factory, ...]",
    changed: "list[Change]",
    progress: "Progress",
) -> None:
    """Enter the fleet in the registry.

    Raises:
        ConfigurationError: neither the command line nor JEJO_API_KEY has a key.
    """
    from services.core.times import seoul_day
    from services.simulator.registration import register_fleet

    api_key = api_key or os.environ.get("JEJO_API_KEY")
    if not api_key:
        raise ConfigurationError("--api-url needs an admin's key: give --api-key or set JEJO_API_KEY.")
    register_fleet(api_url, api_key, seed, fleet, seoul_day(progress.begin_us), changed)


def collect_garbage_seldom() -> None:
    """Rows come by the million and refer to nothing in a circle: looking for circles would take a third of the time."""
    import gc

    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
