-- Zones and sponsors: registered and effective-dated as the other things are. Factories name them by their ids.

CREATE TABLE zone (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zone_id         text NOT NULL UNIQUE
);

CREATE TABLE zone_version (
    zone            integer NOT NULL REFERENCES zone,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    name            text NOT NULL,
    region          text NOT NULL,
    designated_on   date,
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX zone_version_current ON zone_version (zone, effective_from) WHERE retired_at IS NULL;
COMMENT ON COLUMN zone_version.designated_on IS 'Day from which the zone is a smart industrial zone.';

CREATE TABLE sponsor (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sponsor_id      text NOT NULL UNIQUE
);

CREATE TABLE sponsor_version (
    sponsor         integer NOT NULL REFERENCES sponsor,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    name            text NOT NULL,
    enterprise      integer REFERENCES enterprise,
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX sponsor_version_current ON sponsor_version (sponsor, effective_from) WHERE retired_at IS NULL;
COMMENT ON COLUMN sponsor_version.enterprise IS 'The conglomerate''s own enterprise, where it is registered.';

COMMENT ON COLUMN factory_version.zone IS 'Id of a registered zone.';
COMMENT ON COLUMN factory_version.sponsor IS 'Id of a registered sponsor.';

-- What factories named before zones and sponsors were registered stays valid: it is registered under its id as its name.
WITH named AS (
    SELECT zone AS zone_id, min(region) AS region FROM factory_version WHERE zone IS NOT NULL GROUP BY zone
), registered AS (
    INSERT INTO zone (zone_id) SELECT zone_id FROM named ORDER BY zone_id RETURNING id, zone_id
)
INSERT INTO zone_version (zone, effective_from, effective_to, name, region, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31 00:00Z', zone_id, region, version + 1
FROM registered JOIN named USING (zone_id) CROSS JOIN registry_version;

WITH registered AS (
    INSERT INTO sponsor (sponsor_id)
    SELECT DISTINCT sponsor FROM factory_version WHERE sponsor IS NOT NULL ORDER BY sponsor
    RETURNING id, sponsor_id
)
INSERT INTO sponsor_version (sponsor, effective_from, effective_to, name, changed_in)
SELECT id, '1999-12-31 15:00Z', '9999-12-31 00:00Z', sponsor_id, version + 1
FROM registered CROSS JOIN registry_version;

UPDATE registry_version SET version = version + 1
WHERE EXISTS (SELECT FROM zone_version) OR EXISTS (SELECT FROM sponsor_version);

GRANT SELECT ON zone, zone_version, sponsor, sponsor_version TO jejo_ingest, jejo_analytics, jejo_api, jejo_verify;
GRANT INSERT, UPDATE ON zone, zone_version, sponsor, sponsor_version TO jejo_api;

-- How many machines of a factory are in use, as steps in time: lists of factories show and sort by it, and counting
-- 600,000 machines for each page would be too slow. The API makes a factory's steps again with each change of a machine.
CREATE TABLE factory_in_use (
    factory         integer NOT NULL REFERENCES factory,
    from_at         timestamptz NOT NULL,
    to_at           timestamptz NOT NULL CHECK (from_at < to_at),
    machines        integer NOT NULL CHECK (machines > 0),
    PRIMARY KEY (factory, from_at)
);
CREATE INDEX factory_in_use_to ON factory_in_use (to_at) INCLUDE (from_at, factory, machines);
COMMENT ON TABLE factory_in_use IS 'Machines in use in [from_at, to_at); no row where there is none. Follows from machine_version.';

CREATE VIEW factory_in_use_steps AS
SELECT factory, from_at, to_at, machines
FROM (
    SELECT factory,
           at AS from_at,
           lead(at) OVER by_factory AS to_at,
           (sum(change) OVER by_factory)::integer AS machines
    FROM (
        SELECT factory, at, sum(change) AS change
        FROM machine
        JOIN machine_version ON machine_version.machine = machine.id AND retired_at IS NULL
        CROSS JOIN LATERAL (VALUES (
            GREATEST(effective_from, timezone('Asia/Seoul', in_use_from::timestamp)),
            LEAST(effective_to, COALESCE(timezone('Asia/Seoul', in_use_to::timestamp), effective_to))
        )) AS claim (from_at, to_at)
        CROSS JOIN LATERAL (VALUES (from_at, 1), (to_at, -1)) AS edge (at, change)
        WHERE from_at < to_at
        GROUP BY factory, at
        HAVING sum(change) <> 0
    ) AS changes
    WINDOW by_factory AS (PARTITION BY factory ORDER BY at)
) AS steps
WHERE machines > 0;
COMMENT ON VIEW factory_in_use_steps IS 'What factory_in_use must hold. The claims of a machine''s versions never overlap, so edges add up.';

INSERT INTO factory_in_use SELECT * FROM factory_in_use_steps;

-- Lists are ordered by the characters' codes, whatever the database's own order is. Search looks at every factory, which
-- takes about 0.1 s for 30,000.
CREATE INDEX factory_by_id ON factory (factory_id COLLATE "C");
CREATE INDEX factory_version_by_name ON factory_version (name COLLATE "C") WHERE retired_at IS NULL;

GRANT SELECT ON factory_in_use, factory_in_use_steps TO jejo_ingest, jejo_analytics, jejo_api, jejo_verify;
GRANT INSERT, DELETE ON factory_in_use TO jejo_api;
