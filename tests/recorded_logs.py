"""Where the recorded logs of real machines are, if anywhere: the one thing outside the clone that tests look for."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("JEJO_REAL_DATA_DIR", Path(__file__).parents[2] / "shared/data"))

needs_recorded_logs = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded logs at {DATA}")
