"""The commands of analytics: the worker, and verify."""

import argparse

from services.analytics.verification.command import add_verify_command


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``analytics`` and ``verify``."""
    parser = commands.add_parser("analytics", help="keep time accounts up to date with the facts")
    parser.set_defaults(run=run_analytics)
    add_verify_command(commands)


def run_analytics(args: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT."""
    import asyncio
    import signal
    import threading

    from services.analytics.settings import AnalyticsSettings
    from services.analytics.worker import run
    from services.core.clock import system_clock
    from services.core.logging import configure_logging
    from services.core.settings import read_settings

    settings = read_settings(AnalyticsSettings)
    configure_logging(settings.log_level, settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    asyncio.run(run(settings, system_clock, stop.is_set))
    return 0
