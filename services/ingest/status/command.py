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
    from services.ingest.status.presentation import as_json, as_lines
    from services.ingest.status.reading import find_out
    from services.ingest.status.settings import StatusSettings
    from services.ingest.status.verdict import Thresholds, overall, problems_of

    # Kafka's client logs every attempt; the outcome is reported below.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = read_settings(StatusSettings)
    findings = asyncio.run(find_out(settings))
    most = Thresholds(settings.status_lag_records, settings.status_freshness_s, settings.status_dead_letters_per_hour)
    problems = problems_of(findings, most)
    verdict = overall(problems)
    if json_output:
        print(json.dumps(as_json(findings, problems, verdict), indent=2))
    else:
        print("\n".join(as_lines(findings, problems, verdict)))
    return int(verdict)
