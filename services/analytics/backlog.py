"""How far the accounts have got and what is waiting, for services that watch analytics from outside.

The package exports this module, and the command line imports the package for its help: so nothing here may load the
database's client.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.analytics import queries

if TYPE_CHECKING:
    from services.core.database import Connection


@dataclass(frozen=True, slots=True)
class Backlog:
    """The instant up to which accounts are complete, and the dirty marks before it.

    Attributes:
        accounted_until_us: microseconds since the epoch; None if analytics has never run, and every mark counts then.
        marks: how many wait; of each shard no more than a bounded number is counted.
        at_least: whether a shard had as many as are counted, or more.
        oldest_mark_us: when the oldest of the counted marks was made; None if none waits.
    """

    accounted_until_us: int | None
    marks: int
    at_least: bool
    oldest_mark_us: int | None


async def read_backlog(connection: "Connection") -> Backlog:
    """Return the backlog as of now. Quick, however many marks there are."""
    accounted_until_us: int | None = await connection.fetchval(queries.ACCOUNTED_UNTIL)
    waiting = await connection.fetchrow(queries.WAITING_MARKS, accounted_until_us)
    assert waiting is not None
    return Backlog(accounted_until_us, waiting["marks"], waiting["at_least"], waiting["oldest"])
