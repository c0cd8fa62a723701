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
    PRIMARY KEY (region, sector, at)
);
CREATE INDEX programme_step_of_sector ON programme_step (sector, region, at);
COMMENT ON TABLE programme_step IS 'What changes at an instant in the nation, a region, a sector, or a sector of a region: kept by a trigger on factory_version, in the same transaction.';
COMMENT ON COLUMN programme_step.region IS 'As KR-48; empty: in all regions.';
COMMENT ON COLUMN programme_step.sector IS 'As C25; empty: in all sectors.';
COMMENT ON COLUMN programme_step.enterprises IS 'By how many the enterprises with a factory at level basic or above become more.';

-- Which regions and sectors need a population, and when.
CREATE TABLE programme_cell (
    region          text NOT NULL,
    sector          text NOT NULL,
    from_at         timestamptz NOT NULL,
    to_at           timestamptz NOT NULL CHECK (from_at < to_at),
    PRIMARY KEY (region, sector, from_at)
);
COMMENT ON TABLE programme_cell IS 'Time in which a sector of a region has a factory of any level: kept by a trigger on factory_version.';

CREATE INDEX factory_version_of_enterprise ON factory_version (enterprise) WHERE retired_at IS NULL;
CREATE INDEX factory_version_of_cell ON factory_version (region, sector) WHERE retired_at IS NULL;

CREATE FUNCTION presence_of(version factory_version) RETURNS tstzrange
LANGUAGE sql STABLE
RETURN CASE
    WHEN GREATEST(version.effective_from, timezone('Asia/Seoul', version.established_on::timestamp))
       < LEAST(version.effective_to, timezone('Asia/Seoul', version.closed_on::timestamp))
    THEN tstzrange(GREATEST(version.effective_from, timezone('Asia/Seoul', version.established_on::timestamp)),
                   LEAST(version.effective_to, timezone('Asia/Seoul', version.closed_on::timestamp)))
    ELSE 'empty'::tstzrange
END;
COMMENT ON FUNCTION presence_of IS 'When a factory is there as a version has it: while that is in force, from its establishment, if that is known, to its closing.';

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
), version AS (
    -- The versions of these enterprises, once as they are and once as they were, which is taken away.
    SELECT 1 AS sign, o.enterprise, o.region, o.sector, o.level, presence_of(o) AS during FROM own o
    UNION ALL
    SELECT -1, o.enterprise, o.region, o.sector, o.level, presence_of(o) FROM own o
    WHERE NOT EXISTS (SELECT FROM unnest(come) AS c
                      WHERE c.factory = o.factory AND c.effective_from = o.effective_from AND c.retired_at IS NULL)
    UNION ALL
    SELECT -1, g.enterprise, g.region, g.sector, g.level, presence_of(g) FROM unnest(gone) AS g WHERE g.retired_at IS NULL
), united AS (
    -- However many factories an enterprise has, it counts once in each of these.
    SELECT v.sign, v.enterprise, g.region, g.sector, range_agg(v.during) AS during
    FROM version v
    CROSS JOIN LATERAL (VALUES ('', ''), (v.region, ''), ('', v.sector), (v.region, v.sector)) AS g(region, sector)
    WHERE v.level <> 'none' AND NOT isempty(v.during)
    GROUP BY v.sign, v.enterprise, g.region, g.sector
), total AS (
    SELECT u.region, u.sector, s.at, sum(u.sign * s.change)::integer AS enterprises
    FROM united u
    CROSS JOIN LATERAL unnest(u.during) AS r(bounds)
    CROSS JOIN LATERAL (VALUES (lower(r.bounds), 1), (upper(r.bounds), -1)) AS s(at, change)
    GROUP BY u.region, u.sector, s.at
    HAVING sum(u.sign * s.change) <> 0
)
MERGE INTO programme_step p USING total t ON p.region = t.region AND p.sector = t.sector AND p.at = t.at
WHEN MATCHED AND p.enterprises + t.enterprises = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET enterprises = p.enterprises + t.enterprises
WHEN NOT MATCHED THEN INSERT VALUES (t.region, t.sector, t.at, t.enterprises);
END
$$;
COMMENT ON FUNCTION change_programme_steps IS 'Bring programme_step up to date with factory_version, from which some rows have gone and to which some have come.';

CREATE FUNCTION refresh_programme_cells(regions text[], sectors text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM programme_cell p
    USING unnest(regions, sectors) AS c(region, sector) WHERE p.region = c.region AND p.sector = c.sector;
    INSERT INTO programme_cell (region, sector, from_at, to_at)
    SELECT own.region, own.sector, lower(r.bounds), upper(r.bounds)
    FROM (
        SELECT v.region, v.sector, range_agg(presence_of(v)) AS during
        FROM factory_version v JOIN unnest(regions, sectors) AS c(region, sector) USING (region, sector)
        WHERE v.retired_at IS NULL
        GROUP BY v.region, v.sector
    ) AS own
    CROSS JOIN LATERAL unnest(own.during) AS r(bounds);
END
$$;
COMMENT ON FUNCTION refresh_programme_cells IS 'Recreate programme_cell for some sectors of regions, each named once.';

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
        DELETE FROM programme_cell;
    ELSIF cardinality(gone) + cardinality(come) > 0 THEN
        PERFORM change_programme_steps(gone, come);
        PERFORM refresh_programme_cells(array_agg(c.region), array_agg(c.sector))
        FROM (SELECT g.region, g.sector FROM unnest(gone) AS g UNION SELECT n.region, n.sector FROM unnest(come) AS n) AS c;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION keep_programme_steps IS 'Keep programme_step and programme_cell in step with factory_version, whoever changes that.';

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
SELECT refresh_programme_cells(array_agg(c.region), array_agg(c.sector))
FROM (SELECT DISTINCT v.region, v.sector FROM factory_version v) AS c;

GRANT SELECT, INSERT, UPDATE ON population TO jejo_api;
GRANT SELECT, INSERT ON population_cell TO jejo_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON programme_step TO jejo_api;
GRANT SELECT, INSERT, DELETE ON programme_cell TO jejo_api;
GRANT EXECUTE ON FUNCTION presence_of(factory_version), change_programme_steps(factory_version[], factory_version[]),
    refresh_programme_cells(text[], text[]) TO jejo_api;
