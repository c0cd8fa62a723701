-- Makes jejo_migrate the owner of all our objects, since it changes them in later migrations. The first migrations created roles and
-- revoked rights to PostgreSQL's own functions, so a superuser applied them and became the owner of what they created.

DO $$
DECLARE
    object record;
BEGIN
    FOR object IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass AS name
        FROM pg_class c
        WHERE c.relnamespace IN ('public'::regnamespace, to_regnamespace('research'))
          AND c.relkind IN ('r', 'p', 'v', 'S')
          AND c.relowner <> 'jejo_migrate'::regrole
          -- Neither objects of an extension, nor sequences that belong to a column and follow its table.
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
          AND NOT (c.relkind = 'S' AND EXISTS (
              SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'))
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO jejo_migrate', object.kind, object.name);
    END LOOP;
    FOR object IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'jejo_migrate'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO jejo_migrate', object.name);
    END LOOP;
    IF to_regnamespace('research') IS NOT NULL THEN
        ALTER SCHEMA research OWNER TO jejo_migrate;
    END IF;
END
$$;

-- Compression runs as the owner of its job. In the Apache edition, our tables have no jobs.
UPDATE _timescaledb_config.bgw_job SET owner = 'jejo_migrate'::regrole
WHERE hypertable_id IN (SELECT id FROM _timescaledb_catalog.hypertable WHERE schema_name = 'public');
