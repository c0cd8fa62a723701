"""Where ingest continues reading: stored offsets checked against Kafka's logs, and an operator's changes to them.

A worker's own progress is part of its transaction (``writer.py``).
"""

from services.core.database import Connection
from services.core.errors import ConfigurationError
from services.ingest.stream import queries
from services.ingest.stream.progress import LogBounds
from services.ingest.stream.topic import TopicName
from services.ingest.writing.writer import Topic


class BeyondLog(ConfigurationError):
    """A stored offset lies behind the end of its log, as that was read before the offset."""

    def __init__(self, message: str, partition: int, offset: int) -> None:
        super().__init__(message)
        self.partition = partition
        self.offset = offset

    def is_confirmed_by(self, later: dict[int, LogBounds]) -> bool:
        """Return whether it does so by bounds read later, too. If not, another worker has read on in between."""
        return self.offset > later[self.partition].end


async def enter_topic(connection: Connection, name: TopicName) -> Topic:
    """Return the topic's row in ``ingest_topic``, adding it if the name is new.

    Raises:
        ConfigurationError: the name now belongs to another topic than the one read so far; the operator must decide.
    """
    row = await connection.fetchrow(queries.CURRENT_TOPIC, name.topic)
    if row is None:
        await connection.execute(queries.ADD_TOPIC, name.cluster_id, name.topic_id, name.topic)
        row = await connection.fetchrow(queries.CURRENT_TOPIC, name.topic)
    if row is None or (row["cluster_id"], row["topic_id"]) != (name.cluster_id, name.topic_id):
        raise topic_recreated(name)
    return Topic(row["id"], name.cluster_id, name.topic_id)


def topic_recreated(name: TopicName) -> ConfigurationError:
    """Return the error for a name that now belongs to another topic."""
    return ConfigurationError(
        f"Topic {name.topic} is not the one read so far (its id is now {name.topic_id}): it was recreated. If what "
        "it holds now is new telemetry, run `jejo offsets adopt` and start ingest again; none of it has been read."
    )


async def adopt_topic(connection: Connection, name: TopicName) -> None:
    """Make the present topic of this name the one to read, from its start; the former one is kept as history.

    A topic that was read before another one replaced it is continued from where it was left.
    """
    async with connection.transaction():
        await connection.execute(queries.RETIRE_TOPIC, name.topic, name.cluster_id, name.topic_id)
        await connection.execute(queries.TAKE_TOPIC, name.cluster_id, name.topic_id, name.topic)


async def load_offsets(connection: Connection, topic: Topic, bounds: dict[int, LogBounds]) -> dict[int, int]:
    """Return the next offset of each partition. One never read before begins at its log's start, which is recorded.

    Raises:
        ConfigurationError: a stored offset is outside its log; the operator must decide. ``BeyondLog`` if it is behind
            the end, to be confirmed by later bounds.
    """
    partitions = sorted(bounds)
    starts = [bounds[partition].start for partition in partitions]
    place = (topic.cluster_id, topic.topic_id)
    await connection.execute(queries.ADD_OFFSETS, *place, partitions, starts)
    found = await connection.fetch(queries.STORED_OFFSETS, *place, partitions)
    stored: dict[int, int] = {row["partition"]: row["next_offset"] for row in found}
    for partition, offset in stored.items():
        log = bounds[partition]
        if not log.start <= offset <= log.end:
            message = (
                f"Partition {partition} continues at offset {offset}, but its log holds {log.start} to {log.end}: "
                f"records are missing. Find out why; to continue without them run "
                f"`jejo offsets move --partition {partition} --to {log.start if offset < log.start else log.end}`."
            )
            raise ConfigurationError(message) if offset < log.start else BeyondLog(message, partition, offset)
    return stored


async def override_offset(connection: Connection, topic: Topic, partition: int, offset: int, log: LogBounds) -> None:
    """Set a partition's next offset, as an operator has decided. Records read twice change nothing.

    Raises:
        ConfigurationError: the partition was never read, or its log does not hold the offset.
    """
    if not log.start <= offset <= log.end:
        raise ConfigurationError(
            f"The log of partition {partition} holds {log.start} to {log.end}: choose an offset within it."
        )
    done = await connection.execute(queries.OVERRIDE_OFFSET, topic.cluster_id, topic.topic_id, partition, offset)
    if done != "UPDATE 1":
        raise ConfigurationError(f"Partition {partition} has no stored offset: list them with `jejo offsets list`.")


async def list_offsets(connection: Connection) -> list[str]:
    """Return one line per partition of every topic read: topic, its id, partition, next offset."""
    rows = await connection.fetch(queries.LIST_OFFSETS)
    return [
        f"{r['topic']}  {r['topic_id']}{' (retired)' if r['retired'] else ''}  {r['partition']}  {r['next_offset']}"
        for r in rows
    ]
