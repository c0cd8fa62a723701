"""The command ``jejo gateway simulate``."""

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
    from services.simulator.fleet import Factory
    from services.simulator.progress import Progress
    from services.simulator.simulation import Schedule
    from services.simulator.source import World

MOST_FACTORIES, MOST_MACHINES, MOST_DAYS = 999_999, 99, 3650


def amount(text: str | float) -> float:
    """Parse a finite number of at least 0; the number of a default passes through.

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
    """The command's options; each field is the option of its name."""

    factories: int
    machines: int | None
    seed: int
    trouble: float
    ghosts: bool
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
    prepare: Path | None
    truth: Path | None
    bootstrap_servers: str | None

    @classmethod
    def of(cls, context: click.Context) -> Self:
        """Return the options of a parsed command line.

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
@click.option("--ghosts", is_flag=True, help="add a factory for each plausibility rule, which sends what breaks it")
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
@click.option("--progress", type=FILE, metavar="FILE", help="continue where this file says the last run ended")
@click.option("--prepare", type=FILE, metavar="FILE", help="write the history to it for `jejo gateway send`, and end")
@click.option("--truth", type=FILE, metavar="FILE", help="write what the API must answer, at the end")
@click.option("--bootstrap-servers", metavar="HOST:PORT", help="default: JEJO_KAFKA_BOOTSTRAP_SERVERS")
@click.pass_context
def simulate(context: click.Context, /, **_: object) -> int:
    """Stream a simulated fleet until stopped.

    Sends its history first, then the present.
    """
    return run_simulate(SimulateOptions.of(context))


def run_simulate(options: SimulateOptions) -> int:
    """Simulate a fleet until SIGINT or SIGTERM, or until everything asked for is sent."""
    from services.core.clock import system_clock
    from services.core.settings import Settings, read_settings
    from services.core.times import seoul_day
    from services.simulator.cohorts import draw_changes
    from services.simulator.fleet import make_fleet
    from services.simulator.ghosts import make_ghosts
    from services.simulator.source import World

    check(options)
    settings = read_settings(Settings)
    schedule, progress = plan(options, system_clock)
    world = World(options.seed, progress.begin_us, options.trouble)
    fleet = make_fleet(options.seed, options.factories, options.machines)
    changes = draw_changes(options.seed, fleet, progress.begin_us, progress.history_end_us, options.trouble)
    if options.ghosts:
        fleet += make_ghosts(options.seed, options.factories, options.machines)
    in_use_from = seoul_day(progress.begin_us)
    if options.api_url:
        from services.simulator.registration import register_fleet

        register_fleet(options.api_url, admin_key(options), options.seed, fleet, in_use_from, changes)
    progress.save(progress.sent_us, 0)
    if options.registry_csv:
        from services.simulator.registration import write_import_file

        write_import_file(options.registry_csv, options.seed, fleet, in_use_from, changes)
        return 0
    if options.prepare:
        sent_us = prepare(options.prepare, world, fleet, schedule)
    else:
        servers = options.bootstrap_servers or settings.kafka_bootstrap_servers
        sent_us = send(servers, settings.telemetry_topic, world, fleet, schedule, progress)
    if options.truth:
        from services.simulator.truth import write_truth

        write_truth(options.truth, world, fleet, changes, sent_us, in_use_from)
    return 0


def check(options: SimulateOptions) -> None:
    """Check that the options can be simulated, and go together.

    Raises:
        ConfigurationError: they do not.
    """
    machines = 1 if options.machines is None else options.machines
    if not (1 <= options.factories <= MOST_FACTORIES and 1 <= machines <= MOST_MACHINES):
        raise ConfigurationError(f"--factories must be 1 to {MOST_FACTORIES} and --machines 1 to {MOST_MACHINES}.")
    if (options.backfill_days or 0) > MOST_DAYS or options.backfill_hours > 24 * MOST_DAYS:
        raise ConfigurationError(f"--backfill-days and --backfill-hours must be at most {MOST_DAYS} days.")
    if options.until is not None and (options.duration is not None or options.speed != "max"):
        raise ConfigurationError("--until sends history alone, at once: leave --duration and --speed out.")
    if options.prepare and (options.duration is not None or options.speed != "max" or options.progress):
        raise ConfigurationError("--prepare writes history alone: leave --duration, --speed and --progress out.")
    if options.truth and not options.truth.parent.is_dir():
        raise ConfigurationError(
            f"--truth {options.truth}: there is no folder {options.truth.parent}; choose another place."
        )


def plan(options: SimulateOptions, clock: "Clock") -> "tuple[Schedule, Progress]":
    """Return what to send, and the progress so far: of the progress file, or of a new world.

    Raises:
        ConfigurationError: history would end in the future, a value is invalid, or the file is about another fleet.
    """
    from services.core.times import HOUR_US, SECOND_US, SEOUL_OFFSET_US, floor_to
    from services.simulator.progress import Progress
    from services.simulator.simulation import Schedule

    now_us = clock()
    until_us = parse_until(options.until)
    if until_us is None and options.prepare:
        until_us = now_us // 1000 * 1000
    end_us = now_us if until_us is None else until_us
    if end_us > now_us:
        raise ConfigurationError(f"--until {options.until} lies ahead: the platform refuses rows that do.")
    if options.backfill_days is None:
        begin_us = end_us - round(options.backfill_hours * HOUR_US)
    else:
        back_us = round(options.backfill_days * 24 * HOUR_US)
        begin_us = floor_to(end_us - back_us + SEOUL_OFFSET_US, 24 * HOUR_US) - SEOUL_OFFSET_US
    machines = options.machines or "as many machines as their size suggests"
    fleet = f"{options.factories} factories with {machines}, seed {options.seed}, trouble {options.trouble:g}"
    if options.ghosts:
        fleet += ", with ghosts"
    # Whole milliseconds, like every instant of the simulation.
    progress = Progress.read(options.progress, fleet, begin_us // 1000 * 1000, end_us)
    schedule = Schedule(
        from_us=progress.sent_us,
        until_us=until_us,
        speed=parse_speed(options.speed, minimum=1),
        duration_us=None if options.duration is None else round(options.duration * SECOND_US),
        readings_us=round(options.readings_every * SECOND_US),
    )
    return schedule, progress


def parse_until(text: str | None) -> int | None:
    """Parse ``--until`` to microseconds since the epoch.

    Raises:
        ConfigurationError: it is not RFC 3339 with an offset, in whole milliseconds.
    """
    from schemas.wire.instants import parse_text

    if text is None:
        return None
    until_us = parse_text(text)
    if until_us is None or until_us % 1000:
        raise ConfigurationError(f"--until {text}: write RFC 3339 with an offset, as 2026-11-22T00:00:00+09:00.")
    return until_us


def admin_key(options: SimulateOptions) -> str:
    """Return the API key to register with, from the command line or the environment.

    Raises:
        ConfigurationError: neither has one.
    """
    api_key = options.api_key or os.environ.get("JEJO_API_KEY")
    if not api_key:
        raise ConfigurationError("--api-url needs an admin's key: give --api-key or set JEJO_API_KEY.")
    return api_key


def send(
    servers: str,
    topic: str,
    world: "World",
    fleet: "tuple[Factory, ...]",
    schedule: "Schedule",
    progress: "Progress",
) -> dict[str, int]:
    """Send the fleet's rows and print how many arrived. Return, by factory, up to when everything due was sent."""
    import signal
    import threading

    from services.core.clock import system_clock
    from services.gateway import Sender
    from services.simulator.simulation import Simulation

    stop = threading.Event()
    with Sender(servers, topic, stop=stop) as sender:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        simulation = Simulation(world, fleet, sender, system_clock, stop)
        collect_garbage_seldom()
        simulation.run(schedule, save=progress.save)
        print(f"{len(fleet)} factories: {sender.acknowledged} records with {simulation.rows} rows arrived")
    return simulation.sent_us


def prepare(path: Path, world: "World", fleet: "tuple[Factory, ...]", schedule: "Schedule") -> dict[str, int]:
    """Write the fleet's rows to a file, as the records that would be sent. Return, by factory, up to when."""
    import threading

    from services.core.clock import system_clock
    from services.gateway import RecordFile
    from services.simulator.simulation import Simulation

    with RecordFile(path) as file:
        simulation = Simulation(world, fleet, file, system_clock, threading.Event())
        collect_garbage_seldom()
        simulation.run(schedule)
    print(f"{path}: {file.records} records with {file.rows} rows of {len(fleet)} factories")
    return simulation.sent_us


def collect_garbage_seldom() -> None:
    """Make garbage collection rare: millions of rows without cycles would otherwise cost a third of the time."""
    import gc

    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
