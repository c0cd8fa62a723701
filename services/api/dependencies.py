"""What routes of every part ask of the application: its database pools, the time, parameters given once."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Request

from services.api.database import Databases, databases_of
from services.api.problems import unprocessable

REPEATABLE = ("scope", "kpi")

Pools = Annotated[Databases, Depends(databases_of)]


def now_of(request: Request) -> int:
    """Return the present, in microseconds."""
    now = request.app.state.clock()
    assert isinstance(now, int)
    return now


Now = Annotated[int, Depends(now_of)]


async def check_given_once(request: Request) -> None:
    """Check that no parameter is given twice, since all values but one would be ignored.

    Raises:
        Problem: 422 if one is, and it cannot be repeated.
    """
    counted = Counter(name for name, _ in request.query_params.multi_items() if name not in REPEATABLE)
    twice = [name for name, times in counted.items() if times > 1]
    if twice:
        raise unprocessable(f"Give {', '.join(twice)} once; only {' and '.join(REPEATABLE)} may be repeated.")
