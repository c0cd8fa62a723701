from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypedDict, Unpack

from kafka.cluster import ClusterMetadata
from kafka.consumer.fetcher import ConsumerRecord
from kafka.consumer.subscription_state import ConsumerRebalanceListener as ConsumerRebalanceListener
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.future import Future
from kafka.producer.future import FutureRecordMetadata
from kafka.structs import OffsetAndMetadata as OffsetAndMetadata
from kafka.structs import TopicPartition as TopicPartition

class _ConsumerConfig(TypedDict, total=False):
    bootstrap_servers: str | Sequence[str]
    client_id: str
    group_id: str | None
    enable_auto_commit: bool
    auto_offset_reset: Literal["earliest", "latest", "none"]
    isolation_level: Literal["read_uncommitted", "read_committed"]
    allow_auto_create_topics: bool
    session_timeout_ms: int
    heartbeat_interval_ms: int
    max_poll_records: int
    fetch_max_bytes: int
    fetch_max_wait_ms: int
    reconnect_backoff_max_ms: int
    max_partition_fetch_bytes: int
    metadata_max_age_ms: int
    bootstrap_timeout_ms: int
    consumer_timeout_ms: float

class KafkaConsumer:
    DEFAULT_CONFIG: ClassVar[dict[str, Any]]

    # Private; only services/core/kafka_compatibility.py may use them.
    _cluster: ClusterMetadata
    _coordinator: ConsumerCoordinator

    def __init__(self, *topics: str, **configs: Unpack[_ConsumerConfig]) -> None: ...
    def __iter__(self) -> KafkaConsumer: ...
    def __next__(self) -> ConsumerRecord: ...
    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...
    def assignment(self) -> set[TopicPartition]: ...
    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: float | None = None
    ) -> dict[TopicPartition, int]: ...
    def end_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: float | None = None
    ) -> dict[TopicPartition, int]: ...
    def close(self, autocommit: bool = True, timeout_ms: float | None = None) -> None: ...
    def commit_async(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata] | None = None, callback: object | None = None
    ) -> Future: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...
    def pause(self, *partitions: TopicPartition) -> None: ...
    def paused(self) -> set[TopicPartition]: ...
    def poll(
        self, timeout_ms: float = 0, max_records: int | None = None, update_offsets: bool = True
    ) -> dict[TopicPartition, list[ConsumerRecord]]: ...
    def position(self, partition: TopicPartition, timeout_ms: float | None = None) -> int | None: ...
    def resume(self, *partitions: TopicPartition) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def seek_to_beginning(self, *partitions: TopicPartition) -> None: ...
    def subscribe(
        self, topics: Sequence[str] = (), pattern: str | None = None, listener: ConsumerRebalanceListener | None = None
    ) -> None: ...

class _ProducerConfig(TypedDict, total=False):
    bootstrap_servers: str | Sequence[str]
    acks: Literal[-1, 0, 1, "all"]
    enable_idempotence: bool
    transactional_id: str
    transaction_timeout_ms: int
    compression_type: Literal["gzip", "snappy", "lz4", "zstd"] | None
    linger_ms: int
    batch_size: int
    max_request_size: int
    allow_auto_create_topics: bool
    delivery_timeout_ms: int
    max_block_ms: int
    reconnect_backoff_max_ms: int

class KafkaProducer:
    DEFAULT_CONFIG: ClassVar[dict[str, Any]]

    def __init__(self, **configs: Unpack[_ProducerConfig]) -> None: ...
    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> FutureRecordMetadata: ...
    def flush(self, timeout: float | None = None) -> None: ...
    def close(self, timeout: float | None = None, null_logger: bool = False) -> None: ...
    def init_transactions(self) -> None: ...
    def begin_transaction(self) -> None: ...
    def commit_transaction(self) -> None: ...
    def abort_transaction(self) -> None: ...
