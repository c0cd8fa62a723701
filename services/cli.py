"""The console script ``jejo``: puts the services' commands together and turns their errors into one sentence."""

import argparse
import sys

import services.analytics.cli
import services.api.cli
import services.core.cli
import services.gateway.cli
import services.ingest.cli
from services.core.errors import JejoError
from services.simulator.cli import add_simulate


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; every subcommand sets ``run``, which returns the exit code."""
    parser = argparse.ArgumentParser(prog="jejo", description="Jejo, Korea's national manufacturing data platform.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    services.core.cli.add_commands(commands)
    add_simulate(services.gateway.cli.add_commands(commands))
    for service in (services.ingest, services.analytics, services.api):
        service.cli.add_commands(commands)
    describe(commands)
    return parser


def describe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let each command's own help say, too, what the list of commands says of it."""
    told = {choice.dest: choice.help for choice in commands._get_subactions()}
    for name, parser in commands.choices.items():
        said = told[name]
        parser.description = parser.description or (said and f"{said[0].upper()}{said[1:]}.")
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                describe(action)


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Its exit code; 2 where an error says what the operator should do.
    """
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except JejoError as error:
        print(f"jejo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
