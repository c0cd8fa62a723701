"""The commands of analytics: the worker, and verify."""

import click

from services.analytics.verification.command import verify_window


@click.command("analytics")
def run_analytics() -> int:
    """Keep time accounts up to date with the facts.

    Works until SIGTERM or SIGINT.
    """
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


COMMANDS: tuple[click.Command, ...] = (run_analytics, verify_window)
