-- The registry: enterprises, factories, machines and gateway keys, each with its versions in time.
--
-- A version holds for [effective_from, effective_to); at any instant at most one unretired version of a thing is in force.
-- A correction retires a version (retired_at) instead of overwriting it, so what was believed at any moment can be told.
-- Versions without a known bound reach from 1999-12-31T15:00Z (2000-01-01 in Seoul) to 9999-12-31T00:00Z.

CREATE TABLE registry_version (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version     bigint NOT NULL
);
INSERT INTO registry_version (version) VALUES (0);
COMMENT ON TABLE registry_version IS 'One row, counted up by every change of the registry; readers reload what changed_in says is newer.';

CREATE TABLE enterprise (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id   text NOT NULL UNIQUE
);

CREATE TABLE enterprise_version (
    enterprise      integer NOT NULL REFERENCES enterprise,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    name            text NOT NULL,
    employees       integer CHECK (employees >= 0),
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX enterprise_version_current ON enterprise_version (enterprise, effective_from) WHERE retired_at IS NULL;

CREATE TABLE factory (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id      text NOT NULL UNIQUE
);

CREATE TABLE factory_version (
    factory         integer NOT NULL REFERENCES factory,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    name            text NOT NULL,
    enterprise      integer NOT NULL REFERENCES enterprise,
    region          text NOT NULL,
    sector          text NOT NULL,
    zone            text,
    sponsor         text,
    level           text NOT NULL CHECK (level IN ('none', 'basic', 'intermediate_1', 'intermediate_2', 'advanced')),
    established_on  date,
    closed_on       date,
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX factory_version_current ON factory_version (factory, effective_from) WHERE retired_at IS NULL;

CREATE TABLE machine (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory         integer NOT NULL REFERENCES factory,
    machine_id      text NOT NULL,
    shard           smallint NOT NULL GENERATED ALWAYS AS (factory % 64) STORED,
    UNIQUE (factory, machine_id)
);
COMMENT ON COLUMN machine.shard IS 'Unit of accounting work: all machines of a factory share one, so a factory is accounted in one transaction.';

CREATE TABLE machine_version (
    machine         integer NOT NULL REFERENCES machine,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    name            text NOT NULL,
    kind            text NOT NULL,
    automation      text NOT NULL CHECK (automation IN ('manual', 'semi_automatic', 'automatic', 'robot')),
    state_ttl_us    bigint NOT NULL CHECK (state_ttl_us BETWEEN 1000000 AND 86400000000),
    ideal_cycle_us  bigint CHECK (ideal_cycle_us > 0),
    capacity_per_h  double precision CHECK (capacity_per_h > 0),
    in_use_from     date NOT NULL CHECK (in_use_from >= '2000-01-01'),
    in_use_to       date CHECK (in_use_to > in_use_from),
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX machine_version_current ON machine_version (machine, effective_from) WHERE retired_at IS NULL;
CREATE INDEX machine_version_changed ON machine_version (changed_in);
COMMENT ON COLUMN machine_version.in_use_from IS 'Seoul midnight that opens the half-open time in use.';

CREATE TABLE gateway_key (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory         integer NOT NULL REFERENCES factory,
    key_id          text NOT NULL,
    UNIQUE (factory, key_id)
);

CREATE TABLE gateway_key_version (
    gateway_key         integer NOT NULL REFERENCES gateway_key,
    effective_from      timestamptz NOT NULL,
    effective_to        timestamptz NOT NULL CHECK (effective_from < effective_to),
    public_key          bytea NOT NULL CHECK (length(public_key) = 32),
    valid_from          timestamptz NOT NULL,
    valid_to            timestamptz CHECK (valid_to > valid_from),
    revoked_at          timestamptz,
    compromised_since   timestamptz,
    changed_in          bigint NOT NULL,
    recorded_at         timestamptz NOT NULL DEFAULT now(),
    retired_at          timestamptz
);
CREATE UNIQUE INDEX gateway_key_version_current ON gateway_key_version (gateway_key, effective_from) WHERE retired_at IS NULL;

-- In-use time of each machine as disjoint spans: every version's own claim, within the time the version is in force.
CREATE VIEW machine_in_use AS
SELECT machine, lower(span) AS from_at, upper(span) AS to_at
FROM (
    SELECT machine, unnest(range_agg(tstzrange(from_at, to_at))) AS span
    FROM (
        SELECT machine,
               GREATEST(effective_from, timezone('Asia/Seoul', in_use_from::timestamp)) AS from_at,
               LEAST(effective_to, COALESCE(timezone('Asia/Seoul', in_use_to::timestamp), effective_to)) AS to_at
        FROM machine_version
        WHERE retired_at IS NULL
    ) AS claim
    WHERE from_at < to_at
    GROUP BY machine
) AS merged;

CREATE TABLE api_key (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    role            text NOT NULL,
    key_sha256      bytea NOT NULL UNIQUE CHECK (length(key_sha256) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);
COMMENT ON TABLE api_key IS 'Keys of API readers. A key is 32 random bytes, so its SHA-256 needs no salt.';
