-- The TimescaleDB routines that each login may execute. Before this runs, execution of all of them is revoked from PUBLIC.
-- Reading and writing hypertables needs none of them.

DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT routine.oid::regprocedure AS name, listed.login
        FROM (VALUES
            -- The owner of the tables creates and changes hypertables.
            ('jejo_migrate', 'create_hypertable'),
            ('jejo_migrate', 'by_range'),
            ('jejo_migrate', 'set_chunk_time_interval'),
            ('jejo_migrate', 'show_chunks'),
            ('jejo_migrate', 'drop_chunks'),
            ('jejo_migrate', 'insert_blocker'),
            -- Compression, in editions that have it, is a job that runs as the owner of the tables.
            ('jejo_migrate', 'add_columnstore_policy'),
            ('jejo_migrate', 'remove_columnstore_policy'),
            ('jejo_migrate', 'policy_compression'),
            ('jejo_migrate', 'policy_compression_execute'),
            ('jejo_migrate', 'compress_chunk'),
            ('jejo_migrate', 'decompress_chunk'),
            -- Functions that only compute from their arguments, for researchers' queries.
            ('researcher', 'time_bucket'),
            ('researcher', 'first'),
            ('researcher', 'last'),
            ('researcher', 'histogram')
        ) AS listed (login, routine)
        JOIN pg_proc routine ON routine.proname = listed.routine
        JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = routine.oid AND d.deptype = 'e'
        JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'timescaledb'
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', granted.name, granted.login);
    END LOOP;
END
$$;

-- For the lock that serialises migrations; advisory locks are also revoked from PUBLIC.
GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint), pg_advisory_unlock(bigint) TO jejo_migrate;
