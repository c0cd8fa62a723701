"""The console script ``jejo``: puts the services' commands together and reports their errors in one sentence."""

import sys

import click

import services.analytics.cli
import services.api.cli
import services.core.cli
import services.gateway.cli
import services.ingest.cli
import services.operations.cli
from services.core.errors import JejoError
from services.simulator.cli import simulate


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def jejo() -> None:
    """Jejo, Korea's national manufacturing data platform."""


for service in (
    services.core,
    services.gateway,
    services.ingest,
    services.analytics,
    services.api,
    services.operations,
):
    for command in service.cli.COMMANDS:
        jejo.add_command(command)
services.gateway.cli.gateway.add_command(simulate)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Its exit code; 2 with a sentence on standard error if the command line is wrong, or if the command raised a
        ``JejoError``; 130 if it was interrupted.
    """
    try:
        return int(jejo.main(argv, prog_name="jejo", standalone_mode=False))
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "jejo"
        message = " ".join(error.format_message().split()).rstrip(".")
        return report(f"{message} (see `{path} --help`).")
    except click.ClickException as error:
        return report(error.format_message())
    except JejoError as error:
        return report(str(error))
    except click.Abort:
        return 130


def report(message: str) -> int:
    """Print an error for the operator. Returns the exit code 2."""
    print(f"jejo: {message}", file=sys.stderr)
    return 2
