-- Columnar compression of raw facts, where TimescaleDB's Community edition is there to do it; Apache's has none.
--
-- A chunk is a day of facts. After a week it is compressed: by then nearly all of it has come. What comes later, doubled,
-- revised or retracted, is written into it all the same, by ingest's usual way; the policy compresses it again.

DO $$
BEGIN
    IF current_setting('timescaledb.license') = 'timescale' THEN
        ALTER TABLE state_event SET (
            timescaledb.enable_columnstore, timescaledb.segmentby = 'machine', timescaledb.orderby = 'at'
        );
        ALTER TABLE count_event SET (
            timescaledb.enable_columnstore, timescaledb.segmentby = 'machine', timescaledb.orderby = 'at, product'
        );
        ALTER TABLE reading SET (
            timescaledb.enable_columnstore, timescaledb.segmentby = 'machine, metric', timescaledb.orderby = 'at'
        );
        CALL add_columnstore_policy('state_event', after => INTERVAL '7 days');
        CALL add_columnstore_policy('count_event', after => INTERVAL '7 days');
        CALL add_columnstore_policy('reading', after => INTERVAL '7 days');
    END IF;
END
$$;
