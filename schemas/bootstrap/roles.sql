-- Creates the database's logins. Each service has its own, which can do only what the service needs; none is a superuser. Roles
-- belong to the whole server, so some may already exist; their attributes are set again here, and their memberships in other
-- roles, whose rights they would have, end.

-- Makes the bootstrap of another database on this server wait: two transactions cannot change the same role.
LOCK TABLE pg_authid IN SHARE ROW EXCLUSIVE MODE;

DO $$
DECLARE
    login text;
    joined record;
BEGIN
    FOREACH login IN ARRAY ARRAY[
        'jejo_migrate', 'jejo_ingest', 'jejo_analytics', 'jejo_api', 'jejo_verify', 'jejo_status', 'jejo_keys', 'researcher'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I', login);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        EXECUTE format(
            'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', login
        );
        FOR joined IN
            SELECT roleid::regrole AS role, grantor::regrole AS grantor FROM pg_auth_members WHERE member = login::regrole
        LOOP
            EXECUTE format('REVOKE %s FROM %I GRANTED BY %s CASCADE', joined.role, login, joined.grantor);
        END LOOP;
    END LOOP;
    -- Also for restored databases: a dump omits grants on the database itself.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO jejo_migrate', current_database());
END
$$;

GRANT CREATE, USAGE ON SCHEMA public TO jejo_migrate;
GRANT USAGE ON SCHEMA public TO jejo_ingest, jejo_analytics, jejo_api, jejo_verify, jejo_status, jejo_keys;

-- Nobody may execute routines that are created later until they are granted.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE jejo_migrate REVOKE EXECUTE ON ROUTINES FROM PUBLIC;
