"""Where things are kept: downloads shared between clones, data of this clone alone."""

import hashlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

CLONE = Path(__file__).resolve().parents[2]
UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the servers run as, where that is not the present user."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    return os.geteuid() == 0


def cache_folder() -> Path:
    """Downloads: JEJO_CACHE_DIR, or /var/cache/jejo for root, or the user's cache folder."""
    chosen = os.environ.get("JEJO_CACHE_DIR")
    if chosen:
        return Path(chosen).resolve()
    if is_root():
        return Path("/var/cache/jejo")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jejo"


def data_folder() -> Path:
    """This clone's data: JEJO_DATA_DIR, or below the clone, or for root where unprivileged servers can reach it."""
    chosen = os.environ.get("JEJO_DATA_DIR")
    if chosen:
        return Path(chosen).resolve()
    if is_root():
        return Path("/var/lib/jejo") / hashlib.sha256(str(CLONE).encode()).hexdigest()[:12]
    return CLONE / ".jejo"


def server_owner() -> Owner | None:
    """PostgreSQL refuses to run as root, so root runs it as a user who owns nothing else.

    Raises:
        StackError: there is no such user.
    """
    if not is_root():
        return None
    for name in UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(name, found.pw_uid, found.pw_gid)
    raise StackError("PostgreSQL will not run as root: run as an ordinary user, or make a user named postgres.")


def make_folder(folder: Path) -> Path:
    """Make a folder that the servers may write to.

    Raises:
        StackError: the file system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = server_owner()
        if owner is not None:
            os.chown(folder, owner.uid, owner.gid)
    except OSError as error:
        raise StackError(
            f"{folder} cannot be made ({error.strerror}): free some space or set JEJO_CACHE_DIR."
        ) from error
    return folder
