-- What each login may execute of TimescaleDB's, by name; all of it is closed to PUBLIC before this runs. Reading and writing
-- hypertables needs none of it.

DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT routine.oid::regprocedure AS name, listed.login
        FROM (VALUES
            -- Whoever owns the tables makes and changes hypertables.
            ('jejo_migrate', 'create_hypertable'),
            ('jejo_migrate', 'by_range'),
            ('jejo_migrate', 'set_chunk_time_interval'),
            ('jejo_migrate', 'show_chunks'),
            ('jejo_migrate', 'drop_chunks'),
            ('jejo_migrate', 'insert_blocker'),
            -- Compression, where the edition has it, is a job that runs as the owner of the tables.
            ('jejo_migrate', 'add_columnstore_policy'),
            ('jejo_migrate', 'remove_columnstore_policy'),
            ('jejo_migrate', 'policy_compression'),
            ('jejo_migrate', 'policy_compression_execute'),
            ('jejo_migrate', 'compress_chunk'),
            ('jejo_migrate', 'decompress_chunk'),
            -- Functions of values alone, for questions in SQL.
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

-- The migrations' runner lets one of its kind work at a time. Such locks are closed to PUBLIC, too.
GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint), pg_advisory_unlock(bigint) TO jejo_migrate;
