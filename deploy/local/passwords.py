"""Passwords of the local PostgreSQL's logins, so that it need not trust whoever else works on this machine.

Each login has a random password in a file that only the present user can read. They are also entered into libpq's own
password file (``PGPASSFILE`` or ``~/.pgpass``), where psql, pandas and ``jejo`` find them without being asked.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StackError

ADMINISTRATOR = "jejo"
LOGINS = (
    ADMINISTRATOR,
    "jejo_migrate",
    "jejo_ingest",
    "jejo_analytics",
    "jejo_api",
    "jejo_verify",
    "jejo_status",
    "jejo_keys",
    "researcher",
)
HOST = "127.0.0.1"


def make_passwords(folder: Path) -> dict[str, str]:
    """Return the password of each login, made and kept in ``folder`` where there is none yet.

    Raises:
        StackError: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for login in LOGINS:
            file = folder / login
            if not file.is_file():
                write_privately(file, secrets.token_hex(24))
        return {login: (folder / login).read_text() for login in LOGINS}
    except OSError as error:
        raise StackError(f"The database's passwords cannot be kept in {folder} ({error.strerror}).") from error


def password_file() -> Path:
    """Where libpq looks for passwords."""
    return Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass").resolve()


def enter_passwords(port: int, passwords: dict[str, str]) -> None:
    """Enter the logins of the server at a port into libpq's password file, in place of those entered before.

    Raises:
        StackError: the file cannot be written.
    """
    # First found, first used: these go before whatever the user has for any host.
    replace_entries(port, [f"{HOST}:{port}:*:{login}:{password}" for login, password in passwords.items()])


def remove_passwords(port: int, folder: Path) -> None:
    """Remove the entries of a server at a port from libpq's password file, unless another server's took their place.

    Raises:
        StackError: the file cannot be written.
    """
    file, kept = password_file(), folder / ADMINISTRATOR
    if not (file.is_file() and kept.is_file()):
        return
    if f"{HOST}:{port}:*:{ADMINISTRATOR}:{kept.read_text()}" in file.read_text().splitlines():
        replace_entries(port, [])


def replace_entries(port: int, entries: list[str]) -> None:
    """Put lines for a port at the head of libpq's password file, whose other lines stay.

    Raises:
        StackError: the file cannot be written.
    """
    file = password_file()
    ours = tuple(f"{HOST}:{port}:*:{login}:" for login in LOGINS)
    try:
        with locked(file):
            before = file.read_text().splitlines() if file.is_file() else []
            kept = [line for line in before if not line.startswith(ours)]
            if entries or kept:
                write_privately(file, "\n".join([*entries, *kept]) + "\n")
            else:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise StackError(
            f"Passwords cannot be entered into {file} ({error.strerror}): name another file in PGPASSFILE."
        ) from error


def write_privately(file: Path, text: str) -> None:
    """Write a file that only the present user can read, whole or not at all."""
    written = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    written.replace(file)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep other local stacks from changing the same file meanwhile."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
