"""The command ``jejo verify``."""

import click


@click.command("verify")
@click.option("--from", "start", required=True, metavar="WHEN", help="date (Seoul) or RFC 3339")
@click.option("--to", "end", required=True, metavar="WHEN", help="date (Seoul) or RFC 3339, exclusive")
@click.option("--machine", metavar="FACTORY/MACHINE", help="verify only this machine, without factory sums")
@click.option(
    "--wait",
    "wait_s",
    type=float,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="how long to wait until analytics has caught up",
)
@click.option("--no-ledger", is_flag=True, help="do not compare records with their facts")
def verify_window(start: str, end: str, machine: str | None, wait_s: float, no_ledger: bool) -> int:
    """Recompute the accounts of a window and compare.

    The second implementation shares no arithmetic with the first. Exit code 0: everything is equal; 1: differences, one
    per line; 2: the window could not be compared.
    """
    import asyncio

    from services.analytics.verification.run import parse_window, verify
    from services.analytics.verification.settings import VerifySettings
    from services.core.settings import read_settings

    window = parse_window(start, end)
    settings = read_settings(VerifySettings)
    return asyncio.run(verify(settings.database_url, window, machine, wait_s, ledger=not no_ledger))
