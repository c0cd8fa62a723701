"""Passwords of the local PostgreSQL's logins, which keep other users of this machine out.

Each login has a random password in a file that only the current user can read. The passwords are also added to libpq's
password file (``PGPASSFILE`` or ``~/.pgpass``), which psql, pandas and ``jejo`` read.
"""

import fcntl
import os
import secrets
import tempfile
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


def ensure_passwords(folder: Path) -> dict[str, str]:
    """Return the password of each login by name; missing and empty ones are created in ``folder``.

    Raises:
        StackError: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for login in LOGINS:
            file = folder / login
            if not has_password(file):
                write_private_file(file, secrets.token_hex(24))
        return {login: (folder / login).read_text().strip() for login in LOGINS}
    except OSError as error:
        raise StackError(
            f"The database's passwords cannot be stored in {folder} ({error.strerror}): make it writable."
        ) from error


def has_password(file: Path) -> bool:
    """Return whether a file contains a password. A full disk, for example, leaves it empty."""
    return file.is_file() and file.read_text().strip() != ""


def pgpass_file() -> Path:
    """Return the path of libpq's password file; of a link, its target, so that replacing the file keeps the link.

    Raises:
        StackError: the path belongs to something else, such as /dev/null, its folder cannot be searched, or the
            current user has no home folder.
    """
    try:
        file = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass").resolve()
        other = file.exists() and not file.is_file()
    except (OSError, RuntimeError) as error:
        raise StackError(f"There is no place for passwords ({error}): name another file in PGPASSFILE.") from error
    if other:
        raise StackError(
            f"{file} is no ordinary file, so passwords cannot be stored in it: name another in PGPASSFILE."
        )
    return file


def add_pgpass_entries(port: int, passwords: dict[str, str]) -> None:
    """Add the logins of the server at a port to libpq's password file, replacing earlier entries for that port.

    Raises:
        StackError: the file cannot be written.
    """
    # The first match counts, so these precede the user's own entries, which may match any host.
    replace_pgpass_entries(port, [f"{HOST}:{port}:*:{login}:{password}" for login, password in passwords.items()])


def remove_pgpass_entries(port: int, folder: Path) -> None:
    """Remove the entries of the server at a port from libpq's password file, unless another server has replaced them.

    Raises:
        StackError: the file cannot be written.
    """
    file, password = pgpass_file(), folder / ADMINISTRATOR
    if not (file.is_file() and password.is_file()):
        return
    if f"{HOST}:{port}:*:{ADMINISTRATOR}:{password.read_text().strip()}" in read_lines(file):
        replace_pgpass_entries(port, [])


def replace_pgpass_entries(port: int, entries: list[str]) -> None:
    """Replace our entries for a port at the top of libpq's password file; the user's own lines are kept.

    Raises:
        StackError: the file cannot be written.
    """
    file = pgpass_file()
    ours = tuple(f"{HOST}:{port}:*:{login}:" for login in LOGINS)
    try:
        with locked(file):
            kept = [line for line in read_lines(file) if not line.startswith(ours)]
            if entries or kept:
                write_private_file(file, "\n".join([*entries, *kept]) + "\n")
            else:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise StackError(
            f"Passwords cannot be written to {file} ({error.strerror}): name another file in PGPASSFILE."
        ) from error


def read_lines(file: Path) -> list[str]:
    """Return the lines of a file, or none if it does not exist. The user's own may have any encoding, which is kept."""
    text = file.read_bytes().decode(errors="surrogateescape") if file.is_file() else ""
    return text.removesuffix("\n").split("\n") if text else []


def write_private_file(file: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner, who stays the same: root may work for somebody else."""
    # A new file with a random name, so that nobody else can have opened it or linked it to another place.
    descriptor, temporary = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(text.encode(errors="surrogateescape"))
            if file.exists() and os.geteuid() == 0:
                os.fchown(out.fileno(), file.stat().st_uid, file.stat().st_gid)
        os.replace(temporary, file)
    except OSError:
        os.unlink(temporary)
        raise


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lock a file against other local stacks, by locking the folder that it is in."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
