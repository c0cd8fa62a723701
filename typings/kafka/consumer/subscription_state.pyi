from abc import ABC, abstractmethod

from kafka.structs import TopicPartition

class ConsumerRebalanceListener(ABC):
    @abstractmethod
    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None: ...
    @abstractmethod
    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None: ...
    def on_partitions_lost(self, lost: set[TopicPartition]) -> None: ...
