-- What `jejo status` reads: a role of its own that sees counts, instants and offsets, and nothing that a factory sent; and
-- the indexes that keep its questions short on tables of any size.

DO $$
BEGIN
    BEGIN
        CREATE ROLE jejo_status NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    GRANT jejo_status TO CURRENT_USER;
    GRANT USAGE ON SCHEMA public TO jejo_status;
END
$$;

GRANT SELECT ON ingest_topic, ingest_offset, analytics_state, schema_migration TO jejo_status;
GRANT SELECT (factory, received_at, ingested_at, rows_stored, rows_duplicate, rows_clashed, rows_refused) ON ingest_record TO jejo_status;
GRANT SELECT (reason, kept_at, replayed_at) ON dead_letter TO jejo_status;
GRANT SELECT (shard, from_at, marked_at) ON dirty_mark TO jejo_status;

CREATE INDEX ingest_record_ingested ON ingest_record (ingested_at);
CREATE INDEX dead_letter_reason ON dead_letter (reason, kept_at);
CREATE INDEX dead_letter_waiting ON dead_letter (reason) WHERE replayed_at IS NULL;
