"""The SQL of topics and offsets."""

CURRENT_TOPIC = "SELECT id, cluster_id, topic_id FROM ingest_topic WHERE topic = $1 AND retired_at IS NULL"

ADD_TOPIC = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

RETIRE_TOPIC = """
UPDATE ingest_topic SET retired_at = now()
WHERE topic = $1 AND retired_at IS NULL AND (cluster_id, topic_id) <> ($2, $3)
"""

TAKE_TOPIC = """
INSERT INTO ingest_topic (cluster_id, topic_id, topic) VALUES ($1, $2, $3)
ON CONFLICT (cluster_id, topic_id) DO UPDATE SET retired_at = NULL, topic = excluded.topic
"""

ADD_OFFSETS = """
INSERT INTO ingest_offset (cluster_id, topic_id, partition, next_offset, first_offset)
SELECT $1, $2, w.partition, w.start, w.start
FROM unnest($3::integer[], $4::bigint[]) AS w(partition, start)
ON CONFLICT DO NOTHING
"""

STORED_OFFSETS = """
SELECT partition, next_offset FROM ingest_offset
WHERE cluster_id = $1 AND topic_id = $2 AND partition = ANY($3::integer[])
"""

OVERRIDE_OFFSET = """
UPDATE ingest_offset SET next_offset = $4, moved_at = now()
WHERE cluster_id = $1 AND topic_id = $2 AND partition = $3
"""

PROGRESS = """
SELECT partition, next_offset, moved_at FROM ingest_offset WHERE cluster_id = $1 AND topic_id = $2
"""

LIST_OFFSETS = """
SELECT t.topic, t.topic_id, t.retired_at IS NOT NULL AS retired, o.partition, o.next_offset
FROM ingest_offset o JOIN ingest_topic t USING (cluster_id, topic_id)
ORDER BY t.id, o.partition
"""
