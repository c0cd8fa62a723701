"""Where the recorded logs of real machines are, if anywhere: the one thing outside the clone that tests look for."""

import os
from pathlib import Path

import pytest

JEJO_REAL_DATA_DIR = Path(os.environ.get("JEJO_REAL_DATA_DIR", Path(__file__).parents[2] / "shared/data"))

# Only the absence of the folder skips: with the folder there, a missing file is a failure.
needs_real_data = pytest.mark.skipif(not JEJO_REAL_DATA_DIR.is_dir(), reason="JEJO_REAL_DATA_DIR is no folder here")
