import uuid
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypedDict, Unpack

from kafka.structs import TopicPartition

class _AdminConfig(TypedDict, total=False):
    bootstrap_servers: str | Sequence[str]
    client_id: str
    bootstrap_timeout_ms: int

class _NewTopic(TypedDict, total=False):
    num_partitions: int
    replication_factor: int
    configs: Mapping[str, str]

class _Partition(TypedDict):
    partition_index: int

# What a broker answers; the fields that Jejo reads.
class _Topic(TypedDict):
    name: str
    topic_id: uuid.UUID
    partitions: list[_Partition]

class _Cluster(TypedDict):
    cluster_id: str

class _ConfigEntry(TypedDict):
    value: str

class ConfigResourceType(IntEnum):
    TOPIC = 2

class ConfigResource:
    def __init__(self, resource_type: ConfigResourceType, name: str, configs: Sequence[str] | None = None) -> None: ...

class ResourceType(IntEnum):
    TRANSACTIONAL_ID = 5

class ACLOperation(IntEnum):
    ALL = 2

class ACLPermissionType(IntEnum):
    DENY = 2

class ResourcePattern:
    def __init__(self, resource_type: ResourceType, resource_name: str) -> None: ...

class ACL:
    def __init__(
        self,
        principal: str,
        host: str,
        operation: ACLOperation,
        permission_type: ACLPermissionType,
        resource_pattern: ResourcePattern,
    ) -> None: ...

class _Created(TypedDict):
    failed: list[object]

class AbortTransactionSpec(NamedTuple):
    topic_partition: TopicPartition
    producer_id: int
    producer_epoch: int

class KafkaAdminClient:
    def __init__(self, **configs: Unpack[_AdminConfig]) -> None: ...
    def abort_transaction(self, spec: AbortTransactionSpec) -> None: ...
    def close(self) -> None: ...
    def create_acls(self, acls: Sequence[ACL]) -> _Created: ...
    def create_partitions(
        self,
        topic_partitions: Mapping[str, int],
        timeout_ms: int | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
    ) -> object: ...
    def create_topics(
        self,
        new_topics: Mapping[str, _NewTopic],
        timeout_ms: int | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
        wait_for_metadata: bool = False,
    ) -> object: ...
    def delete_records(
        self,
        records_to_delete: Mapping[TopicPartition, int],
        timeout_ms: int | None = None,
        partition_leader_id: int | None = None,
    ) -> object: ...
    def delete_topics(
        self, topics: Sequence[str], timeout_ms: int | None = None, raise_errors: bool = True
    ) -> object: ...
    def describe_cluster(self) -> _Cluster: ...
    def describe_configs(
        self,
        config_resources: Sequence[ConfigResource],
        include_synonyms: bool = False,
        config_filter: str = "modified",
    ) -> dict[str, dict[str, dict[str, _ConfigEntry]]]: ...
    def describe_topics(self, topics: Sequence[str] | None = None) -> list[_Topic]: ...
