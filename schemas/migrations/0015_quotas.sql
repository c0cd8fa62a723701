-- What an hour may bring: limits on dead letters and on what a factory sends, and what a record brought, for data quality.

ALTER TABLE ingest_record
    ADD COLUMN value_bytes      integer,
    ADD COLUMN rows_late        integer,
    ADD COLUMN rows_revised     integer,
    ADD COLUMN newest_at        timestamptz,
    ADD COLUMN refusals         jsonb,
    ADD COLUMN metrics_added    integer,
    ADD COLUMN days_added       integer;
COMMENT ON COLUMN ingest_record.value_bytes IS 'Length of the record''s value. Null, as all columns after it, of records ingested before they were recorded.';
COMMENT ON COLUMN ingest_record.rows_late IS 'Of rows_stored: rows received more than 24 hours after their instant.';
COMMENT ON COLUMN ingest_record.rows_revised IS 'Of rows_stored: rows whose fact had another version before.';
COMMENT ON COLUMN ingest_record.newest_at IS 'Latest instant of the rows stored or clashed; null if there are none.';
COMMENT ON COLUMN ingest_record.refusals IS 'Rows refused, by reason code; adds up to rows_refused. Null if there are none.';
COMMENT ON COLUMN ingest_record.metrics_added IS 'Names of metrics that this record was the first to use.';
COMMENT ON COLUMN ingest_record.days_added IS 'Days, of any table of facts, that this record was the first to bring a row of.';
-- Records of an hour lie together, so their quota is summed up without reading the rest of the day.
CREATE INDEX ingest_record_received ON ingest_record USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);

-- How far a partition was ever read, also if an operator has moved next_offset back since.
ALTER TABLE ingest_offset ADD COLUMN read_to bigint NOT NULL DEFAULT 0;
UPDATE ingest_offset SET read_to = next_offset;
COMMENT ON COLUMN ingest_offset.read_to IS 'The highest next_offset ever: records before it may have been judged before.';

-- The record that was the first to use a metric's name, or to bring a row of a day: what it costs is counted once, and for it.
ALTER TABLE metric
    ADD COLUMN factory          integer,
    ADD COLUMN received_at      timestamptz,
    ADD COLUMN topic            smallint,
    ADD COLUMN partition        integer,
    ADD COLUMN record_offset    bigint;
CREATE INDEX metric_introduced ON metric (topic, partition, received_at, factory);
COMMENT ON COLUMN metric.factory IS 'With the columns after it: the record that was the first to use the name. Null of names introduced before this was recorded.';

CREATE TABLE fact_day (
    table_name      text NOT NULL CHECK (table_name IN ('state_event', 'count_event', 'reading')),
    day             date NOT NULL,
    factory         integer,
    received_at     timestamptz,
    topic           smallint,
    partition       integer,
    record_offset   bigint,
    PRIMARY KEY (table_name, day)
);
CREATE INDEX fact_day_introduced ON fact_day (topic, partition, received_at, factory);
COMMENT ON TABLE fact_day IS 'Days in UTC, each a chunk, of which a table of facts ever had a row, and the record that was the first to bring one.';
-- A chunk is a day, so any row tells which.
DO $$
DECLARE
    facts   text;
    chunk   regclass;
BEGIN
    FOREACH facts IN ARRAY ARRAY['state_event', 'count_event', 'reading'] LOOP
        FOR chunk IN SELECT show_chunks(facts::regclass) LOOP
            EXECUTE format(
                'INSERT INTO fact_day (table_name, day)
                 SELECT %L, (at AT TIME ZONE ''UTC'')::date FROM %s LIMIT 1 ON CONFLICT DO NOTHING',
                facts, chunk
            );
        END LOOP;
    END LOOP;
END
$$;

CREATE TABLE dead_letter_spent (
    topic           smallint NOT NULL REFERENCES ingest_topic,
    partition       integer NOT NULL,
    hour            timestamptz NOT NULL,
    factory         text NOT NULL,
    letters         bigint NOT NULL,
    bytes           bigint NOT NULL,
    last_offset     bigint NOT NULL,
    kept_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, hour, factory)
);
COMMENT ON TABLE dead_letter_spent IS 'What is spent of the quotas of dead letters, by partition and hour of receipt.';
COMMENT ON COLUMN dead_letter_spent.factory IS 'An authentic factory, with a quota of its own; empty: all letters that nobody authenticated, which share one.';
COMMENT ON COLUMN dead_letter_spent.last_offset IS 'The highest offset judged. What nobody authenticated is neither kept nor counted again up to it.';

CREATE TABLE dead_letter_count (
    topic           smallint NOT NULL REFERENCES ingest_topic,
    partition       integer NOT NULL,
    hour            timestamptz NOT NULL,
    reason          text NOT NULL,
    letters         bigint NOT NULL,
    bytes           bigint NOT NULL,
    last_offset     bigint NOT NULL,
    kept_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, hour, reason)
);
COMMENT ON TABLE dead_letter_count IS 'Dead letters that nobody authenticated, beyond the quota they share: counted, and not kept.';
COMMENT ON COLUMN dead_letter_count.bytes IS 'Length of the values counted.';
COMMENT ON COLUMN dead_letter_count.last_offset IS 'The highest offset counted.';

DROP INDEX dead_letter_quota;

GRANT SELECT, INSERT ON fact_day TO jejo_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letter_spent, dead_letter_count TO jejo_ingest;
GRANT DELETE ON dead_letter TO jejo_ingest;
GRANT SELECT ON dead_letter_count TO jejo_status;
