"""The command ``jejo status``."""

import argparse


def add_status_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register ``status``."""
    parser = commands.add_parser(
        "status",
        help="lag, rates, dead letters, freshness",
        description="How is it? Exit code 0: fine; 1: something "
        "is behind; 2: something did not answer, so that nobody can tell.",
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=run_status)


def run_status(args: argparse.Namespace) -> int:
    """Print how things are; the exit code is the verdict."""
    import asyncio
    import json
    import logging

    from services.core.settings import read_settings
    from services.ingest.status.presentation import as_json, as_lines
    from services.ingest.status.reading import find_out
    from services.ingest.status.settings import StatusSettings
    from services.ingest.status.verdict import Thresholds, overall, problems_of

    # Kafka's client tells of every attempt; what comes of them is said below.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = read_settings(StatusSettings)
    findings = asyncio.run(find_out(settings))
    most = Thresholds(settings.status_lag_records, settings.status_freshness_s, settings.status_dead_letters_per_hour)
    problems = problems_of(findings, most)
    verdict = overall(problems)
    if args.json:
        print(json.dumps(as_json(findings, problems, verdict), indent=2))
    else:
        print("\n".join(as_lines(findings, problems, verdict)))
    return int(verdict)
