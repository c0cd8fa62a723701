-- Who may do what. Each service works as its own role, which can do no more than the service's part of the design.
-- Roles belong to the whole database server, so they may already be there.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['jejo_ingest', 'jejo_analytics', 'jejo_api', 'jejo_verify'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role_name);
    END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT SELECT ON registry_version, enterprise, enterprise_version, factory, factory_version, machine, machine_version,
    gateway_key, gateway_key_version, machine_in_use, fact_horizon TO jejo_ingest, jejo_analytics, jejo_api, jejo_verify;

GRANT SELECT, INSERT, UPDATE ON state_event, count_event, reading, ingest_topic, ingest_offset, ingest_record, dead_letter TO jejo_ingest;
GRANT SELECT, INSERT ON fact_revision, metric TO jejo_ingest;
GRANT INSERT ON dirty_mark TO jejo_ingest;
GRANT USAGE ON SEQUENCE ingest_record_id TO jejo_ingest;

GRANT SELECT ON state_event, count_event TO jejo_analytics;
GRANT SELECT, INSERT, DELETE ON dirty_mark TO jejo_analytics;
GRANT SELECT, INSERT, UPDATE, DELETE ON analytics_state, machine_hour, machine_day, factory_hour, factory_day TO jejo_analytics;

GRANT INSERT, UPDATE ON registry_version, enterprise, enterprise_version, factory, factory_version, machine, machine_version,
    gateway_key, gateway_key_version TO jejo_api;
GRANT INSERT ON dirty_mark TO jejo_api;
GRANT SELECT ON analytics_state, machine_hour, machine_day, factory_hour, factory_day, api_key, schema_migration TO jejo_api;

GRANT SELECT ON state_event, count_event, reading, fact_revision, ingest_record, dirty_mark,
    analytics_state, machine_hour, machine_day, factory_hour, factory_day TO jejo_verify;
