-- Whoever reads an hour of facts first completes the summaries of their index on instants.
--
-- PostgreSQL summarizes new ranges of a BRIN index in the background, and keeps at most 256 requests for that. A bulk load asks for
-- more, and what is not requested stays without a summary until a vacuum: a quarter of a day's facts was then read for each hour.
CREATE FUNCTION summarize_facts(from_at timestamptz, to_at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
    place regclass;
    ranges integer := 0;
BEGIN
    FOR place IN
        SELECT i.indexrelid
        FROM _timescaledb_catalog.hypertable h
        JOIN _timescaledb_catalog.chunk c ON c.hypertable_id = h.id
        JOIN _timescaledb_catalog.chunk_constraint k ON k.chunk_id = c.id
        JOIN _timescaledb_catalog.dimension_slice s ON s.id = k.dimension_slice_id
        JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = to_regnamespace(c.schema_name::text)
        JOIN pg_index i ON i.indrelid = t.oid
        JOIN pg_class x ON x.oid = i.indexrelid
        JOIN pg_am a ON a.oid = x.relam AND a.amname = 'brin'
        WHERE h.table_name IN ('state_event', 'count_event')
          AND s.range_start < extract(epoch FROM to_at) * 1000000 AND s.range_end > extract(epoch FROM from_at) * 1000000
    LOOP
        BEGIN
            ranges := ranges + brin_summarize_new_values(place);
        EXCEPTION WHEN lock_not_available THEN
            NULL;  -- A vacuum is at work on the chunk, which does the same.
        END;
    END LOOP;
    RETURN ranges;
END
$$;
COMMENT ON FUNCTION summarize_facts IS 'Complete the summaries of indexes on instants for facts between two instants; returns how many ranges had none.';
REVOKE EXECUTE ON FUNCTION summarize_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION summarize_facts TO jejo_analytics;
