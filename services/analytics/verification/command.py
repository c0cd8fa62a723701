"""The command ``jejo verify``."""

import argparse


def add_verify_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``verify``."""
    parser = commands.add_parser(
        "verify",
        help="recompute every account of a window in a second implementation, and compare",
        description="Exit code 0: everything equal; 1: differences, each named; 2: it could not be compared.",
    )
    parser.add_argument("--from", dest="start", required=True, metavar="WHEN", help="date (Seoul) or RFC 3339")
    parser.add_argument("--to", dest="end", required=True, metavar="WHEN", help="date (Seoul) or RFC 3339, exclusive")
    parser.add_argument("--machine", metavar="FACTORY/MACHINE", help="only this one; leaves factory sums out")
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="how long to wait for rest")
    parser.add_argument("--no-ledger", action="store_true", help="do not hold records against their facts")
    parser.set_defaults(run=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """Compare, and print every difference; the last line sums up."""
    import asyncio

    from services.analytics.verification.run import parse_window, verify
    from services.core.settings import Settings, read_settings

    window = parse_window(args.start, args.end)
    settings = read_settings(Settings)
    return asyncio.run(verify(settings.database_url, window, args.machine, args.wait, ledger=not args.no_ledger))
