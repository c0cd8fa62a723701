"""Logs of adapters, each with what a reader must make of it: plain data, independent of how the reader is built.

Each module has the cases of one subject. ``case`` says how they are written, ``devices`` has their device models, and
``outcome`` compares: it puts what the gateway makes of a log into the words of the cases.
"""

from tests.shdr_cases.condition_items import CONDITION_ITEMS
from tests.shdr_cases.conditions import CONDITIONS
from tests.shdr_cases.connections import CONNECTIONS
from tests.shdr_cases.counters import COUNTERS
from tests.shdr_cases.files import FILES
from tests.shdr_cases.heard import HEARD
from tests.shdr_cases.keys import KEYS
from tests.shdr_cases.messages import MESSAGES
from tests.shdr_cases.models import MODELS
from tests.shdr_cases.numbers import NUMBERS
from tests.shdr_cases.states import STATES
from tests.shdr_cases.timestamps import TIMESTAMPS
from tests.shdr_cases.tokenizing import TOKENIZING

CASES = (
    *STATES,
    *HEARD,
    *TOKENIZING,
    *TIMESTAMPS,
    *FILES,
    *CONDITIONS,
    *CONDITION_ITEMS,
    *MESSAGES,
    *NUMBERS,
    *KEYS,
    *MODELS,
    *COUNTERS,
    *CONNECTIONS,
)
