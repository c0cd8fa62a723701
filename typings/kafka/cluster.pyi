import uuid

class ClusterMetadata:
    def topic_id(self, topic_name: str) -> uuid.UUID | None: ...
