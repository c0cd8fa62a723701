"""``python -m services`` is the console script ``jejo``."""

import sys

from services.cli import main

sys.exit(main())
