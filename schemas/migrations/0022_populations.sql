-- The programme's population of enterprises, year by year, and how many enterprises have a smart factory.

CREATE TABLE population (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year            integer NOT NULL CHECK (year BETWEEN 2000 AND 2199),
    recorded_at     timestamptz NOT NULL,
    recorded_by     text NOT NULL,
    superseded_at   timestamptz CHECK (superseded_at >= recorded_at)
);
CREATE UNIQUE INDEX population_current ON population (year) WHERE superseded_at IS NULL;
COMMENT ON TABLE population IS 'Each report of how many enterprises the programme is for in a year. A new report supersedes the one before, which stays.';
COMMENT ON COLUMN population.year IS 'Year in Seoul.';
COMMENT ON COLUMN population.recorded_by IS 'Name of the API key, or the command.';

CREATE TABLE population_cell (
    population      integer NOT NULL REFERENCES population,
    region          text NOT NULL,
    sector          text NOT NULL,
    enterprises     bigint NOT NULL CHECK (enterprises >= 0),
    PRIMARY KEY (population, region, sector)
);
COMMENT ON TABLE population_cell IS 'Enterprises of a population by region and sector.';

-- As of an instant, the number of enterprises with a smart factory is the sum of all steps before.
CREATE TABLE programme_step (
    region          text NOT NULL,
    sector          text NOT NULL,
    at              timestamptz NOT NULL,
    enterprises     integer NOT NULL,
    factories       integer NOT NULL,
    PRIMARY KEY (region, sector, at)
);
CREATE INDEX programme_step_of_sector ON programme_step (sector, region, at);
COMMENT ON TABLE programme_step IS 'What changes at an instant in the nation, a region, a sector, or a sector of a region: kept by a trigger on factory_version, in the same transaction.';
COMMENT ON COLUMN programme_step.region IS 'As KR-48; empty: in all regions.';
COMMENT ON COLUMN programme_step.sector IS 'As C25; empty: in all sectors.';
COMMENT ON COLUMN programme_step.enterprises IS 'By how many the enterprises with a factory at level basic or above become more.';
COMMENT ON COLUMN programme_step.factories IS 'By how many the factories of any level become more; 0 but in a sector of a region.';

CREATE INDEX factory_version_of_enterprise ON factory_version (enterprise) WHERE retired_at IS NULL;

CREATE FUNCTION change_programme_steps(gone factory_version[], come factory_version[]) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = on SET plan_cache_mode = auto AS $$
BEGIN
-- Loops are for few, and a plan for few is not for the thousands of an import.
IF cardinality(gone) + cardinality(come) > 100 THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL plan_cache_mode = force_custom_plan;
END IF;
WITH own AS MATERIALIZED (
    SELECT v.* FROM factory_version v
    WHERE v.retired_at IS NULL
      AND v.enterprise = ANY (ARRAY(SELECT g.enterprise FROM unnest(gone) AS g UNION SELECT c.enterprise FROM unnest(come) AS c))
), version AS MATERIALIZED (
    -- The versions of these enterprises, once as they are and once as they were, which is taken away.
    SELECT 1 AS sign, o.* FROM own o
    UNION ALL
    SELECT -1, o.* FROM own o
    WHERE NOT EXISTS (SELECT FROM unnest(come) AS c
                      WHERE c.factory = o.factory AND c.effective_from = o.effective_from AND c.retired_at IS NULL)
    UNION ALL
    SELECT -1, g.* FROM unnest(gone) AS g WHERE g.retired_at IS NULL
), present AS MATERIALIZED (
    SELECT p.* FROM (
        SELECT v.sign, v.enterprise, v.region, v.sector, v.level <> 'none' AS smart,
               GREATEST(v.effective_from, timezone('Asia/Seoul', v.established_on::timestamp)) AS from_at,
               LEAST(v.effective_to, timezone('Asia/Seoul', v.closed_on::timestamp)) AS to_at
        FROM version v
    ) AS p
    WHERE p.from_at < p.to_at
), united AS (
    -- However many factories an enterprise has, it counts once in each of these.
    SELECT p.sign, p.enterprise, g.region, g.sector, range_agg(tstzrange(p.from_at, p.to_at)) AS during
    FROM present p
    CROSS JOIN LATERAL (VALUES ('', ''), (p.region, ''), ('', p.sector), (p.region, p.sector)) AS g(region, sector)
    WHERE p.smart
    GROUP BY p.sign, p.enterprise, g.region, g.sector
), step AS (
    SELECT u.region, u.sector, s.at, u.sign * s.change AS enterprises, 0 AS factories
    FROM united u
    CROSS JOIN LATERAL unnest(u.during) AS r(bounds)
    CROSS JOIN LATERAL (VALUES (lower(r.bounds), 1), (upper(r.bounds), -1)) AS s(at, change)
    UNION ALL
    SELECT p.region, p.sector, s.at, 0, p.sign * s.change
    FROM present p
    CROSS JOIN LATERAL (VALUES (p.from_at, 1), (p.to_at, -1)) AS s(at, change)
), total AS (
    SELECT t.region, t.sector, t.at, sum(t.enterprises)::integer AS enterprises, sum(t.factories)::integer AS factories
    FROM step t
    GROUP BY t.region, t.sector, t.at
    HAVING (sum(t.enterprises), sum(t.factories)) <> (0, 0)
)
MERGE INTO programme_step p USING total t ON p.region = t.region AND p.sector = t.sector AND p.at = t.at
WHEN MATCHED AND (p.enterprises + t.enterprises, p.factories + t.factories) = (0, 0) THEN DELETE
WHEN MATCHED THEN UPDATE SET enterprises = p.enterprises + t.enterprises, factories = p.factories + t.factories
WHEN NOT MATCHED THEN INSERT VALUES (t.region, t.sector, t.at, t.enterprises, t.factories);
END
$$;
COMMENT ON FUNCTION change_programme_steps IS 'Bring programme_step up to date with factory_version, from which some rows have gone and to which some have come.';

CREATE FUNCTION keep_programme_steps() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    gone factory_version[] := '{}';
    come factory_version[] := '{}';
BEGIN
    IF TG_OP IN ('DELETE', 'UPDATE') THEN
        gone := ARRAY(SELECT ROW(r.*)::factory_version FROM gone_rows r);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        come := ARRAY(SELECT ROW(r.*)::factory_version FROM come_rows r);
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM programme_step;
    ELSIF cardinality(gone) + cardinality(come) > 0 THEN
        PERFORM change_programme_steps(gone, come);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION keep_programme_steps IS 'Keep programme_step in step with factory_version, whoever changes that.';

CREATE TRIGGER factory_version_come AFTER INSERT ON factory_version REFERENCING NEW TABLE AS come_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_programme_steps();
CREATE TRIGGER factory_version_gone AFTER DELETE ON factory_version REFERENCING OLD TABLE AS gone_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_programme_steps();
CREATE TRIGGER factory_version_changed AFTER UPDATE ON factory_version REFERENCING OLD TABLE AS gone_rows NEW TABLE AS come_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_programme_steps();
CREATE TRIGGER factory_version_emptied AFTER TRUNCATE ON factory_version
    FOR EACH STATEMENT EXECUTE FUNCTION keep_programme_steps();

SELECT count(change_programme_steps('{}', own.versions))
FROM (SELECT array_agg(v) AS versions FROM factory_version v GROUP BY v.enterprise / 1000) AS own;

GRANT SELECT, INSERT, UPDATE ON population TO jejo_api;
GRANT SELECT, INSERT ON population_cell TO jejo_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON programme_step TO jejo_api;
GRANT EXECUTE ON FUNCTION change_programme_steps(factory_version[], factory_version[]) TO jejo_api;
