"""``python -m deploy.local``: the commands that the Makefile runs."""

import argparse
import shutil
import sys

from deploy.local.demo import POSTGRES_PORT, DemoLock, run_demo
from deploy.local.errors import StackError
from deploy.local.fetch import fetch_kafka, fetch_timescaledb
from deploy.local.passwords import remove_pgpass_entries
from deploy.local.places import cache_folder, data_folder


def fetch() -> int:
    """Download both servers into the cache."""
    fetch_timescaledb()
    fetch_kafka()
    return 0


def clean() -> int:
    """Remove this clone's data.

    Raises:
        StackError: a demo is using them.
    """
    folder = data_folder()
    if folder.exists():
        with DemoLock(folder):
            remove_pgpass_entries(POSTGRES_PORT, folder / "postgres/passwords")
            shutil.rmtree(folder)
    return 0


def clean_cache() -> int:
    """Remove the downloads that clones share."""
    shutil.rmtree(cache_folder(), ignore_errors=True)
    return 0


COMMANDS = {"demo": run_demo, "fetch": fetch, "clean": clean, "clean-cache": clean_cache}


def main() -> int:
    """Run one command and return its exit code: 1 with one sentence on standard error if it failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    try:
        return COMMANDS[parser.parse_args().command]()
    except StackError as error:
        print(f"jejo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
