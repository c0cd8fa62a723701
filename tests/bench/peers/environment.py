"""The peers' libraries, in an environment of their own: nothing of Jejo uses them."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.stack import ROOT

FOLDER = Path("build/peers")
PINNED = ROOT / "requirements/peers.txt"


def peers_python() -> Path:
    """Return the environment's Python; creates the environment first if its requirements have changed.

    Raises:
        CalledProcessError: a library cannot be installed; see the lines above.
    """
    python, stamp = FOLDER.absolute() / "bin/python", FOLDER / "stamp"
    wanted = hashlib.sha256(PINNED.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"Installing the peers' libraries into {FOLDER}", file=sys.stderr, flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        # Not from the environment in use, whose packages would be seen.
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(PINNED)]
        subprocess.run([str(python), *install], check=True)
        stamp.write_text(wanted)
    return python
