"""Writes committed files that are generated from code, or checks that they are up to date."""

import argparse
import sys
from pathlib import Path


def write_or_check(arguments: list[str], target: Path, wanted: str, command: str, what: str) -> int:
    """Run the command line of a generator: write its file, or with ``--check`` compare it.

    Returns:
        The exit code: 1 if the file is not up to date.
    """
    parser = argparse.ArgumentParser(prog=command, description=f"Write {what}.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    if not parser.parse_args(arguments).check:
        target.write_text(wanted, encoding="utf-8")
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{target} is not up to date: run `{command}` and commit the file.", file=sys.stderr)
    return 1
