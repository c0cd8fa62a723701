-- Data quality by factory and day of receipt (a Seoul day), from records and from records refused whole.
--
-- Days that are over are kept as rows, which analytics derives; a day that is not, or that changed since, is computed when it is
-- asked for. Ingest tells which days that are over changed: rarely any, since receipt is nearly always of the running day.

CREATE INDEX ingest_record_factory ON ingest_record (factory, received_at);

-- Dead letters expire, and what they were must not expire with them.
CREATE TABLE refused_record (
    factory     integer NOT NULL,
    day         date NOT NULL,
    reason      text NOT NULL,
    records     bigint NOT NULL,
    PRIMARY KEY (factory, day, reason)
);
COMMENT ON TABLE refused_record IS 'Authentic records refused whole, by factory, day of receipt in Seoul and reason: written with their dead letters, and kept when these expire.';
COMMENT ON COLUMN refused_record.records IS 'Less those that a replay turned into facts; one refused for another reason since counts by that.';
INSERT INTO refused_record (factory, day, reason, records)
SELECT f.id, timezone('Asia/Seoul', d.received_at)::date, d.reason, count(*)
FROM dead_letter d JOIN factory f ON f.factory_id = d.claimed_factory
WHERE d.authentic AND d.row_kind IS NULL AND d.replayed_at IS NULL
GROUP BY 1, 2, 3;

CREATE TABLE quality_state (
    is_only         boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    closed_before   date NOT NULL
);
COMMENT ON TABLE quality_state IS 'One row: days of receipt before closed_before have their rows in quality_day, but for those in quality_mark.';
INSERT INTO quality_state (closed_before)
SELECT timezone('Asia/Seoul', COALESCE(LEAST(min(received_at), now()), now()))::date FROM ingest_record;

CREATE TABLE quality_mark (
    factory     integer NOT NULL,
    day         date NOT NULL
);
CREATE INDEX quality_mark_day ON quality_mark (factory, day);
COMMENT ON TABLE quality_mark IS 'Days of receipt before closed_before of which a record or a refusal came, changed or went: an insert-only queue, written by ingest and by closing.';

CREATE TABLE quality_day (
    factory         integer NOT NULL,
    day             date NOT NULL,
    records         bigint NOT NULL,
    rows_accepted   bigint NOT NULL,
    rows_duplicate  bigint NOT NULL,
    rows_clashed    bigint NOT NULL,
    rows_revised    bigint NOT NULL,
    rows_late       bigint,
    refused         jsonb NOT NULL,
    delay_p50_us    bigint,
    delay_p99_us    bigint,
    offset_p50_us   bigint,
    offset_p99_us   bigint,
    PRIMARY KEY (factory, day)
);
COMMENT ON TABLE quality_day IS 'Data quality of a factory on a day of receipt that is over. A day of which nothing authentic was received has no row.';
COMMENT ON COLUMN quality_day.records IS 'Authentic records that were read, each as often as it was sent.';
COMMENT ON COLUMN quality_day.rows_accepted IS 'Rows stored as facts, those that revised a fact included.';
COMMENT ON COLUMN quality_day.rows_late IS 'Of rows_accepted: received more than 24 hours after their instant. Null if any record is older than this was recorded.';
COMMENT ON COLUMN quality_day.refused IS 'Rows refused, by reason; a record refused whole counts as one. Reasons without any are absent.';
COMMENT ON COLUMN quality_day.delay_p50_us IS 'Receipt less sending, of all records: median by nearest rank, as delay_p99_us is the 99th percentile.';
COMMENT ON COLUMN quality_day.offset_p50_us IS 'Sending less the newest instant among rows accepted or clashed, of records that have any.';

CREATE TABLE quality_boot (
    factory         integer NOT NULL,
    day             date NOT NULL,
    gateway_id      text NOT NULL,
    boot_id         text NOT NULL,
    sequences       int8multirange NOT NULL,
    sequence_gaps   bigint NOT NULL,
    lost_records    bigint NOT NULL,
    PRIMARY KEY (factory, day, gateway_id, boot_id)
);
CREATE INDEX quality_boot_days ON quality_boot (factory, gateway_id, boot_id);
COMMENT ON TABLE quality_boot IS 'Sequence numbers that a factory''s gateway sent in a boot and that were received on a day that is over.';
COMMENT ON COLUMN quality_boot.boot_id IS 'Empty: records that name no boot, which count as one.';
COMMENT ON COLUMN quality_boot.sequences IS 'Each number less 1, since the highest that there can be leaves no room for an exclusive bound.';
COMMENT ON COLUMN quality_boot.sequence_gaps IS 'Runs of numbers that no record of the boot has, on any day, and after which the next number was first received on this day.';
COMMENT ON COLUMN quality_boot.lost_records IS 'How many numbers these runs have.';

-- The lock lies between what ingest has under way and the closing of a day: whatever is committed after the closing has seen it.
-- A table's lock is given in turn, so neither keeps the other waiting for ever, and those who only read never wait.
CREATE FUNCTION hold_quality_days() RETURNS date LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    LOCK TABLE quality_mark IN ROW EXCLUSIVE MODE;
    RETURN (SELECT closed_before FROM quality_state);
END
$$;
COMMENT ON FUNCTION hold_quality_days IS 'Keep days of receipt from being closed until the transaction ends; returns the day before which they are closed.';

CREATE FUNCTION close_quality_days(before date) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    closing date;
BEGIN
    -- In the order in which a worker that computes days locks both.
    SELECT closed_before INTO closing FROM quality_state FOR UPDATE;
    LOCK TABLE quality_mark IN SHARE ROW EXCLUSIVE MODE;
    -- Day by day and factory by factory, one look into the index for each: a country's records of a day are many.
    WHILE closing < before LOOP
        INSERT INTO quality_mark (factory, day)
        SELECT f.id, closing
        FROM factory f
        LEFT JOIN LATERAL (
            SELECT true AS found
            FROM ingest_record r
            WHERE r.factory = f.id AND r.received_at >= timezone('Asia/Seoul', closing::timestamp)
              AND r.received_at < timezone('Asia/Seoul', (closing + 1)::timestamp)
            ORDER BY r.received_at
            LIMIT 1
        ) AS record ON true
        WHERE record.found OR EXISTS (SELECT FROM refused_record x WHERE x.factory = f.id AND x.day = closing);
        closing := closing + 1;
    END LOOP;
    UPDATE quality_state SET closed_before = before WHERE closed_before < before;
END
$$;
COMMENT ON FUNCTION close_quality_days IS 'Mark the days of receipt before one that are not closed yet, and close them.';

REVOKE EXECUTE ON FUNCTION hold_quality_days, close_quality_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_quality_days TO jejo_ingest;
GRANT EXECUTE ON FUNCTION close_quality_days TO jejo_analytics;

GRANT SELECT, INSERT, UPDATE ON refused_record TO jejo_ingest;
GRANT SELECT, INSERT ON quality_mark TO jejo_ingest;
GRANT SELECT ON quality_state TO jejo_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON quality_day, quality_boot TO jejo_analytics;
GRANT SELECT, INSERT, DELETE ON quality_mark TO jejo_analytics;
GRANT SELECT, UPDATE ON quality_state TO jejo_analytics;
GRANT SELECT ON quality_state, quality_mark, quality_day, quality_boot TO jejo_api, jejo_verify;
GRANT SELECT ON refused_record TO jejo_analytics, jejo_api, jejo_verify;
GRANT SELECT (factory, received_at, sent_at, newest_at, gateway_id, boot_id, sequence, rows_stored, rows_duplicate, rows_clashed,
              rows_revised, rows_late, refusals) ON ingest_record TO jejo_analytics, jejo_api;

CREATE VIEW research.data_quality_day WITH (security_barrier) AS
SELECT f.factory_id, q.day, q.records, q.rows_accepted, q.rows_duplicate, q.rows_clashed, q.rows_revised,
       (SELECT COALESCE(sum(r.value::bigint), 0)::bigint FROM jsonb_each_text(q.refused) AS r) AS rows_refused, q.refused,
       b.sequence_gaps, b.lost_records, q.rows_late,
       q.delay_p50_us AS receipt_delay_p50_us, q.delay_p99_us AS receipt_delay_p99_us,
       q.offset_p50_us AS clock_offset_p50_us, q.offset_p99_us AS clock_offset_p99_us
FROM quality_day q
JOIN factory f ON f.id = q.factory
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(b.sequence_gaps), 0)::bigint AS sequence_gaps, COALESCE(sum(b.lost_records), 0) AS lost_records
    FROM quality_boot b
    WHERE b.factory = q.factory AND b.day = q.day
) AS b;
COMMENT ON VIEW research.data_quality_day IS 'Data quality, one row per (factory_id, day) on which anything authentic was received. Days that are over; the running day is in the API alone.';
COMMENT ON COLUMN research.data_quality_day.factory_id IS 'The factory whose key signed the records.';
COMMENT ON COLUMN research.data_quality_day.day IS 'Day of receipt in Seoul.';
COMMENT ON COLUMN research.data_quality_day.records IS 'Authentic records that were read, each as often as it was sent.';
COMMENT ON COLUMN research.data_quality_day.rows_accepted IS 'Rows stored as facts, those that revised a fact included.';
COMMENT ON COLUMN research.data_quality_day.rows_duplicate IS 'Rows that repeated what was known.';
COMMENT ON COLUMN research.data_quality_day.rows_clashed IS 'Rows that contradicted a known row at the same revision, and lost.';
COMMENT ON COLUMN research.data_quality_day.rows_revised IS 'Of rows_accepted: rows that another version of the fact came before.';
COMMENT ON COLUMN research.data_quality_day.rows_refused IS 'Rows refused; a record refused whole counts as one.';
COMMENT ON COLUMN research.data_quality_day.refused IS 'The same by reason code, as {"unknown_machine": 2}.';
COMMENT ON COLUMN research.data_quality_day.sequence_gaps IS 'Runs of sequence numbers of a gateway''s boot that were never received, and after which the next number first came on this day.';
COMMENT ON COLUMN research.data_quality_day.lost_records IS 'How many numbers these runs have.';
COMMENT ON COLUMN research.data_quality_day.rows_late IS 'Of rows_accepted: received more than 24 hours after their instant; null: not recorded at the time.';
COMMENT ON COLUMN research.data_quality_day.receipt_delay_p50_us IS 'Median of receipt less sending over records, by nearest rank, in microseconds; negative: the sender''s clock is ahead.';
COMMENT ON COLUMN research.data_quality_day.receipt_delay_p99_us IS '99th percentile of the same.';
COMMENT ON COLUMN research.data_quality_day.clock_offset_p50_us IS 'Median of sending less the newest instant of a record''s rows accepted or clashed, in microseconds; null: no such rows.';
COMMENT ON COLUMN research.data_quality_day.clock_offset_p99_us IS '99th percentile of the same.';
GRANT SELECT ON research.data_quality_day TO researcher;
