-- Facts and what could not become one. Only ingest writes here.
--
-- A fact's identity is its unique key; the row in the hypertable is the version of the highest revision.
-- Every other version, superseded or clashing, is in fact_revision. record_id leads to the record that brought a row.

CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE metric (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE
);

CREATE TABLE state_event (
    machine     integer NOT NULL,
    at          timestamptz NOT NULL,
    state       smallint NOT NULL,
    mode        smallint NOT NULL,
    reason      text,
    revision    integer NOT NULL,
    retracted   boolean NOT NULL,
    record_id   bigint NOT NULL
);
SELECT create_hypertable('state_event', by_range('at', INTERVAL '1 day'), create_default_indexes => false);
CREATE UNIQUE INDEX state_event_identity ON state_event (machine, at);

CREATE TABLE count_event (
    machine     integer NOT NULL,
    at          timestamptz NOT NULL,
    product     text NOT NULL,
    good        integer NOT NULL,
    scrap       integer NOT NULL,
    rework      integer NOT NULL,
    revision    integer NOT NULL,
    retracted   boolean NOT NULL,
    record_id   bigint NOT NULL
);
SELECT create_hypertable('count_event', by_range('at', INTERVAL '1 day'), create_default_indexes => false);
CREATE UNIQUE INDEX count_event_identity ON count_event (machine, at, product);

CREATE TABLE reading (
    machine     integer NOT NULL,
    metric      integer NOT NULL,
    at          timestamptz NOT NULL,
    value       double precision NOT NULL,
    revision    integer NOT NULL,
    retracted   boolean NOT NULL,
    record_id   bigint NOT NULL
);
SELECT create_hypertable('reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false);
CREATE UNIQUE INDEX reading_identity ON reading (machine, metric, at);

-- Versions of facts that are not in force: superseded by a higher revision, or clashing at their own.
CREATE TABLE fact_revision (
    kind        text NOT NULL CHECK (kind IN ('state', 'count', 'reading')),
    machine     integer NOT NULL,
    metric      integer,
    at          timestamptz NOT NULL,
    product     text,
    revision    integer NOT NULL,
    retracted   boolean NOT NULL,
    state       smallint,
    mode        smallint,
    reason      text,
    good        integer,
    scrap       integer,
    rework      integer,
    value       double precision,
    record_id   bigint NOT NULL,
    clash       boolean NOT NULL,
    kept_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX fact_revision_identity ON fact_revision
    (kind, machine, at, metric, product, revision, retracted, state, mode, reason, good, scrap, rework, value) NULLS NOT DISTINCT;
COMMENT ON COLUMN fact_revision.clash IS 'True: differed from the row already known at the same revision, and lost. False: superseded by a higher revision.';

CREATE TABLE fact_horizon (
    table_name      text PRIMARY KEY CHECK (table_name IN ('state_event', 'count_event', 'reading')),
    sealed_before   timestamptz NOT NULL
);
COMMENT ON TABLE fact_horizon IS 'Facts before sealed_before are no longer kept: ingest refuses them, analytics and verify leave what was derived from them alone.';
INSERT INTO fact_horizon VALUES ('state_event', '1999-12-31 15:00Z'), ('count_event', '1999-12-31 15:00Z'), ('reading', '1999-12-31 15:00Z');

-- Kafka topics read so far, and how far. A topic deleted and made again has another topic_id: that is another topic.
CREATE TABLE ingest_topic (
    id          smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id  text NOT NULL,
    topic_id    text NOT NULL,
    topic       text NOT NULL,
    retired_at  timestamptz,
    UNIQUE (cluster_id, topic_id)
);
CREATE UNIQUE INDEX ingest_topic_current ON ingest_topic (topic) WHERE retired_at IS NULL;

CREATE TABLE ingest_offset (
    cluster_id      text NOT NULL,
    topic_id        text NOT NULL,
    partition       integer NOT NULL,
    next_offset     bigint NOT NULL,
    first_offset    bigint NOT NULL,
    moved_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cluster_id, topic_id, partition),
    FOREIGN KEY (cluster_id, topic_id) REFERENCES ingest_topic (cluster_id, topic_id)
) WITH (fillfactor = 50);
COMMENT ON COLUMN ingest_offset.first_offset IS 'Start of the log when the partition was first read: what lies before it was never seen.';

CREATE SEQUENCE ingest_record_id;
CREATE TABLE ingest_record (
    id              bigint NOT NULL,
    topic           smallint NOT NULL,
    partition       integer NOT NULL,
    record_offset   bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    sent_at         timestamptz NOT NULL,
    ingested_at     timestamptz NOT NULL DEFAULT now(),
    factory         integer NOT NULL,
    gateway_id      text NOT NULL,
    boot_id         text,
    sequence        bigint,
    gateway_key     integer,
    signed          boolean NOT NULL,
    revision        integer NOT NULL,
    rows_stored     integer NOT NULL,
    rows_duplicate  integer NOT NULL,
    rows_clashed    integer NOT NULL,
    rows_refused    integer NOT NULL,
    unknown_fields  integer NOT NULL
);
SELECT create_hypertable('ingest_record', by_range('received_at', INTERVAL '1 day'), create_default_indexes => false);
CREATE UNIQUE INDEX ingest_record_identity ON ingest_record (id, received_at);
CREATE UNIQUE INDEX ingest_record_place ON ingest_record (topic, partition, record_offset, received_at);
COMMENT ON TABLE ingest_record IS 'One row per authentic record: the lineage of every fact and the only source of data quality.';

CREATE TABLE dead_letter (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic           smallint NOT NULL REFERENCES ingest_topic,
    partition       integer NOT NULL,
    record_offset   bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    kept_at         timestamptz NOT NULL DEFAULT now(),
    claimed_factory text,
    authentic       boolean NOT NULL,
    reason          text NOT NULL,
    message         text NOT NULL,
    row_kind        text CHECK (row_kind IN ('states', 'counts', 'readings')),
    row_index       integer,
    record_id       bigint,
    raw             bytea,
    raw_length      integer NOT NULL,
    raw_sha256      bytea NOT NULL,
    record_key      bytea,
    headers         bytea,
    replayed_at     timestamptz,
    CHECK ((row_kind IS NULL) = (row_index IS NULL) AND (row_kind IS NULL) = (record_id IS NULL))
);
CREATE UNIQUE INDEX dead_letter_identity ON dead_letter (topic, partition, record_offset, row_kind, row_index) NULLS NOT DISTINCT;
CREATE INDEX dead_letter_quota ON dead_letter (COALESCE(claimed_factory, ''), authentic, received_at) WHERE raw IS NOT NULL;
COMMENT ON COLUMN dead_letter.authentic IS 'True: the claimed factory did sign the record. What is not authentic has a quota of its own.';
COMMENT ON COLUMN dead_letter.row_kind IS 'Null: the whole record was refused. Otherwise raw is one row of the record record_id.';
COMMENT ON COLUMN dead_letter.raw IS 'The bytes refused; of a too large record only the head. Null, with key and headers, beyond what is kept per claimed factory and hour.';
COMMENT ON COLUMN dead_letter.headers IS 'The record''s Kafka headers as a JSON list of [name, base64 value or null], so that a replay can judge the signature again. A row has none: its record was authentic.';

-- Which stretches of a machine's time must be accounted again: an insert-only queue, written by ingest and the API.
CREATE TABLE dirty_mark (
    shard       smallint NOT NULL,
    machine     integer NOT NULL,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL CHECK (from_at <= to_at),
    marked_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX dirty_mark_shard ON dirty_mark (shard, from_at);
COMMENT ON TABLE dirty_mark IS 'Closed span [from_at, to_at] of instants at which a row of the machine appeared, changed or went, or its registration did.';
