"""Folders of the local stack: downloads, which clones share, and each clone's own data."""

import hashlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

CLONE = Path(__file__).resolve().parents[2]
UNPRIVILEGED_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Owner:
    """The user that the servers run as, if that is not the current user."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    return os.geteuid() == 0


def cache_folder() -> Path:
    """Return the folder for downloads: JEJO_CACHE_DIR, or /var/cache/jejo for root, or in the user's cache folder."""
    configured = os.environ.get("JEJO_CACHE_DIR")
    if configured:
        return Path(configured).resolve()
    if is_root():
        return Path("/var/cache/jejo")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jejo"


def data_folder() -> Path:
    """Return the folder for this clone's data: JEJO_DATA_DIR, or for root one below /var/lib/jejo, or in the clone.

    Root's servers run as an unprivileged user, who may be unable to reach the clone.
    """
    configured = os.environ.get("JEJO_DATA_DIR")
    if configured:
        return Path(configured).resolve()
    if is_root():
        return Path("/var/lib/jejo") / hashlib.sha256(str(CLONE).encode()).hexdigest()[:12]
    return CLONE / ".jejo"


def server_owner() -> Owner | None:
    """Return the unprivileged user that servers run as if the current user is root, otherwise None.

    PostgreSQL refuses to run as root.

    Raises:
        StackError: the machine has no such user.
    """
    if not is_root():
        return None
    for name in UNPRIVILEGED_USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(name, found.pw_uid, found.pw_gid)
    raise StackError("PostgreSQL refuses to run as root: use an ordinary account, or create a user named postgres.")


def create_folder(folder: Path) -> Path:
    """Create a folder that the servers can write to, if it is missing.

    Raises:
        StackError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = server_owner()
        if owner is not None:
            os.chown(folder, owner.uid, owner.gid)
    except OSError as error:
        raise StackError(
            f"{folder} cannot be created ({error.strerror}): free some space or set JEJO_DATA_DIR."
        ) from error
    return folder
