"""The command ``jejo status``."""

import click


@click.command("status")
@click.option("--json", "json_output", is_flag=True, help="print JSON for programs")
def show_status(json_output: bool) -> int:
    """Show lag, rates, dead letters and freshness.

    Exit code 0: fine; 1: something is behind; 2: something did not answer, so the state is not known.
    """
    import asyncio
    import json
    import logging

    from services.core.settings import read_settings
    from services.operations.findings import Thresholds, find_problems, overall_verdict
    from services.operations.probes import probe_all
    from services.operations.report import as_json, as_lines
    from services.operations.settings import StatusSettings

    # Kafka's client logs every attempt; the outcome is reported below.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = read_settings(StatusSettings)
    findings = asyncio.run(probe_all(settings))
    limits = Thresholds(
        lag_records=settings.status_lag_records,
        transaction_s=settings.status_transaction_s,
        freshness_s=settings.status_freshness_s,
        dead_letters_per_hour=settings.status_dead_letters_per_hour,
    )
    problems = find_problems(findings, limits)
    verdict = overall_verdict(problems)
    if json_output:
        print(json.dumps(as_json(findings, problems, verdict), indent=2))
    else:
        print("\n".join(as_lines(findings, problems, verdict)))
    return int(verdict)


COMMANDS: tuple[click.Command, ...] = (show_status,)
