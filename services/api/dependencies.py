"""What routes of every part ask of the application: its database pools and the time."""

from typing import Annotated

from fastapi import Depends, Request

from services.api.database import Databases, databases_of

Pools = Annotated[Databases, Depends(databases_of)]


def now_of(request: Request) -> int:
    """Returns the present, in microseconds."""
    now = request.app.state.clock()
    assert isinstance(now, int)
    return now


Now = Annotated[int, Depends(now_of)]
