"""Migrations are frozen once merged: ``schemas/migrations/SHA256SUMS`` lists each with its checksum.

``python -m schemas.migration_checksums`` adds new ones, ``--check`` reports what differs.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "migrations"
LIST = "SHA256SUMS"


def read_list(folder: Path) -> dict[str, str]:
    """Return the listed checksums by file name, from the format of sha256sum."""
    lines = (line.split("  ", 1) for line in (folder / LIST).read_text(encoding="utf-8").splitlines())
    return {name: checksum for checksum, name in lines}


def checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of every migration by file name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.sql"))}


def broken(folder: Path) -> Iterator[str]:
    """Report listed migrations that have been changed or removed."""
    found = checksums(folder)
    for name, checksum in read_list(folder).items():
        if found.get(name) != checksum:
            state = "was changed" if name in found else "is missing"
            yield (
                f"{folder.name}/{name} {state}, but merged migrations are frozen: restore it and add another. If it "
                f"was never merged, remove its line from {LIST} and run `make schema`."
            )


def unlisted(folder: Path) -> Iterator[str]:
    """Report migrations that the list lacks."""
    for name in checksums(folder).keys() - read_list(folder).keys():
        yield f"{folder.name}/{name} is not in {LIST}: run `make schema` and commit what it writes."


def add_new(folder: Path) -> None:
    """Add the migrations that the list lacks; what is listed stays as it is."""
    listed = {**checksums(folder), **read_list(folder)}
    lines = [f"{listed[name]}  {name}\n" for name in sorted(listed)]
    (folder / LIST).write_text("".join(lines), encoding="utf-8")


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Run the command line. Returns 1 if the list and the migrations differ."""
    parser = argparse.ArgumentParser(prog="python -m schemas.migration_checksums", description="Freeze migrations.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the list is not complete")
    check = parser.parse_args(arguments).check
    complaints = list(broken(folder))
    if check:
        complaints += sorted(unlisted(folder))
    elif not complaints:
        add_new(folder)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
