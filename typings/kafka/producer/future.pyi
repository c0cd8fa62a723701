from kafka.future import Future

class FutureRecordMetadata(Future):
    def get(self, timeout: float | None = None) -> RecordMetadata: ...

class RecordMetadata:
    partition: int
    offset: int
    timestamp: int
