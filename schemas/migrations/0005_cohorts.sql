-- Cohorts: what factories are grouped by, which machine is in use in which of them when, and the sums by cohort.
--
-- A machine's cohort is what the registry said, at the instant counted, of its factory (region, sector, zone, sponsor,
-- level) and of the enterprise behind it (size). Accounts are kept by cohort, so an hour in which a factory moves from
-- one to another has two rows, and any scope is a sum over cohorts.

CREATE TABLE cohort (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region      text,
    sector      text,
    zone        text,
    sponsor     text,
    level       text,
    size        text CHECK (size IN ('1-9', '10-49', '50-299', '300+')),
    UNIQUE NULLS NOT DISTINCT (region, sector, zone, sponsor, level, size)
);
COMMENT ON TABLE cohort IS 'Every combination that a machine was ever in. Null: no zone, no sponsor, or nothing registered at that time.';
COMMENT ON COLUMN cohort.size IS 'Employees of the enterprise; null where they are not known.';

CREATE FUNCTION size_of(employees integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN employees >= 300 THEN '300+' WHEN employees >= 50 THEN '50-299' WHEN employees >= 10 THEN '10-49'
            WHEN employees >= 1 THEN '1-9' END;

-- Kept by the registry's writers, in the transaction that changes the registry.
CREATE TABLE machine_span (
    machine     integer NOT NULL REFERENCES machine,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL CHECK (from_at < to_at),
    factory     integer NOT NULL,
    cohort      integer NOT NULL REFERENCES cohort,
    automated   boolean NOT NULL,
    first_day   date NOT NULL,
    end_day     date NOT NULL CHECK (first_day <= end_day),
    PRIMARY KEY (machine, from_at)
);
CREATE INDEX machine_span_factory ON machine_span (factory);
CREATE INDEX machine_span_cohort ON machine_span (cohort);
COMMENT ON TABLE machine_span IS 'Time in use of each machine, cut where its cohort or its being automated changes; before the horizon of facts, as it was when that moved.';
COMMENT ON COLUMN machine_span.automated IS 'Registered as automatic or robot.';
COMMENT ON COLUMN machine_span.first_day IS 'Seoul days [first_day, end_day) are this span''s: a day of several spans is the last one''s, so that it counts once.';

-- The spans as the registry's versions give them, for all machines or, filtered by machine, for some.
CREATE FUNCTION machine_spans_of(machines integer[]) RETURNS TABLE (
    machine integer, from_at timestamptz, to_at timestamptz, factory integer, automated boolean,
    region text, sector text, zone text, sponsor text, level text, size text)
LANGUAGE sql STABLE
BEGIN ATOMIC
WITH chosen AS (
    SELECT m.id, m.factory FROM machine m WHERE m.id = ANY (machines)
), place AS (
    SELECT v.* FROM factory_version v WHERE v.retired_at IS NULL AND v.factory IN (SELECT chosen.factory FROM chosen)
), owner AS (
    SELECT v.enterprise, v.effective_from, v.effective_to, size_of(v.employees) AS size
    FROM enterprise_version v WHERE v.retired_at IS NULL AND v.enterprise IN (SELECT place.enterprise FROM place)
), cut AS (
    SELECT chosen.factory, e.at
    FROM chosen CROSS JOIN (VALUES ('1999-12-31 15:00Z'::timestamptz), ('9999-12-31 00:00Z')) AS e(at)
    UNION
    SELECT place.factory, e.at
    FROM place CROSS JOIN LATERAL (VALUES (place.effective_from), (place.effective_to)) AS e(at)
    UNION
    SELECT place.factory, e.at
    FROM place JOIN owner ON owner.enterprise = place.enterprise
    CROSS JOIN LATERAL (VALUES (owner.effective_from), (owner.effective_to)) AS e(at)
), stretch AS (
    SELECT cut.factory, cut.at AS from_at, lead(cut.at) OVER (PARTITION BY cut.factory ORDER BY cut.at) AS to_at FROM cut
), belonging AS (
    SELECT s.factory, s.from_at, s.to_at, p.region, p.sector, p.zone, p.sponsor, p.level, o.size
    FROM stretch s
    LEFT JOIN place p ON p.factory = s.factory AND p.effective_from <= s.from_at AND s.from_at < p.effective_to
    LEFT JOIN owner o ON o.enterprise = p.enterprise AND o.effective_from <= s.from_at AND s.from_at < o.effective_to
    WHERE s.to_at IS NOT NULL
), claim AS (
    SELECT v.machine, chosen.factory, v.automation IN ('automatic', 'robot') AS automated,
           GREATEST(v.effective_from, timezone('Asia/Seoul', v.in_use_from::timestamp)) AS from_at,
           LEAST(v.effective_to, timezone('Asia/Seoul', v.in_use_to::timestamp)) AS to_at
    FROM machine_version v JOIN chosen ON chosen.id = v.machine
    WHERE v.retired_at IS NULL
), piece AS (
    SELECT c.machine, c.factory, c.automated, GREATEST(c.from_at, b.from_at) AS from_at, LEAST(c.to_at, b.to_at) AS to_at,
           b.region, b.sector, b.zone, b.sponsor, b.level, b.size,
           ROW(c.automated, b.region, b.sector, b.zone, b.sponsor, b.level, b.size) AS content
    FROM claim c JOIN belonging b ON b.factory = c.factory AND b.from_at < c.to_at AND b.to_at > c.from_at
    WHERE c.from_at < c.to_at
), begun AS (
    SELECT piece.*,
           CASE WHEN lag(piece.to_at) OVER by_time = piece.from_at
                 AND lag(piece.content) OVER by_time IS NOT DISTINCT FROM piece.content THEN 0 ELSE 1 END AS is_new
    FROM piece WINDOW by_time AS (PARTITION BY piece.machine ORDER BY piece.from_at)
), numbered AS (
    SELECT begun.*, sum(begun.is_new) OVER (PARTITION BY begun.machine ORDER BY begun.from_at) AS span FROM begun
)
SELECT n.machine, min(n.from_at), max(n.to_at), n.factory, n.automated,
       n.region, n.sector, n.zone, n.sponsor, n.level, n.size
FROM numbered n
GROUP BY n.machine, n.span, n.factory, n.automated, n.region, n.sector, n.zone, n.sponsor, n.level, n.size;
END;
COMMENT ON FUNCTION machine_spans_of IS 'What machine_span must hold of some machines, from the versions in the registry.';

CREATE FUNCTION refresh_machine_spans(machines integer[]) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = on AS $$
DECLARE
    -- Accounts before it are never made again, so what they were made of stays as well. An hour is whole or not at all.
    horizon CONSTANT timestamptz := (SELECT date_trunc('hour', max(sealed_before) + interval '1 hour' - interval '1 microsecond')
                                     FROM fact_horizon WHERE table_name IN ('state_event', 'count_event'));
BEGIN
    DELETE FROM machine_span s WHERE s.machine = ANY (machines) AND s.from_at >= horizon;
    UPDATE machine_span s SET to_at = horizon WHERE s.machine = ANY (machines) AND s.to_at > horizon;
    -- An import asks of thousands, before any statistics say how many versions there are; loops are for few.
    IF cardinality(machines) > 100 THEN
        SET LOCAL enable_nestloop = off;
    END IF;
    EXECUTE $query$
        WITH span AS MATERIALIZED (
            SELECT * FROM machine_spans_of($1)
        ), added AS (
            INSERT INTO cohort (region, sector, zone, sponsor, level, size)
            SELECT region, sector, zone, sponsor, level, size FROM span
            EXCEPT SELECT region, sector, zone, sponsor, level, size FROM cohort
            RETURNING *
        ), known AS (
            SELECT * FROM cohort UNION ALL SELECT * FROM added
        )
        INSERT INTO machine_span (machine, from_at, to_at, factory, cohort, automated, first_day, end_day)
        SELECT s.machine, p.from_at, s.to_at, s.factory, k.id, s.automated,
               timezone('Asia/Seoul', p.from_at)::date,
               LEAST(timezone('Asia/Seoul', s.to_at - interval '1 microsecond')::date + 1, '9999-12-31',
                     timezone('Asia/Seoul', lead(p.from_at) OVER (PARTITION BY s.machine ORDER BY p.from_at))::date)
        FROM span s
        CROSS JOIN LATERAL (VALUES (GREATEST(s.from_at, $2))) AS p(from_at)
        -- No id is empty, and equality, other than IS NOT DISTINCT FROM, can be hashed.
        JOIN known k ON COALESCE(k.region, '') = COALESCE(s.region, '') AND COALESCE(k.sector, '') = COALESCE(s.sector, '')
            AND COALESCE(k.zone, '') = COALESCE(s.zone, '') AND COALESCE(k.sponsor, '') = COALESCE(s.sponsor, '')
            AND COALESCE(k.level, '') = COALESCE(s.level, '') AND COALESCE(k.size, '') = COALESCE(s.size, '')
        WHERE s.to_at > $2
    $query$ USING machines, horizon;
    UPDATE machine_span s
    SET end_day = LEAST(timezone('Asia/Seoul', s.to_at - interval '1 microsecond')::date + 1, own.next_day)
    FROM (
        SELECT m.machine, max(m.from_at) FILTER (WHERE m.from_at < horizon) AS from_at,
               min(m.first_day) FILTER (WHERE m.from_at >= horizon) AS next_day
        FROM machine_span m WHERE m.machine = ANY (machines) GROUP BY m.machine
    ) AS own
    WHERE s.machine = own.machine AND s.from_at = own.from_at;
END
$$;
COMMENT ON FUNCTION refresh_machine_spans IS 'Make machine_span anew for some machines, from the horizon of facts on; the caller holds registry_version.';

SELECT refresh_machine_spans(ARRAY(SELECT id FROM machine));

-- Accounts by cohort. What was derived before is thrown away and derived anew.
DROP TABLE factory_day, factory_hour, machine_day, machine_hour;

CREATE TABLE machine_hour (
    machine                     integer NOT NULL,
    hour                        timestamptz NOT NULL,
    cohort                      integer NOT NULL,
    producing_us                bigint NOT NULL,
    setup_us                    bigint NOT NULL,
    delayed_us                  bigint NOT NULL,
    faulted_us                  bigint NOT NULL,
    idle_us                     bigint NOT NULL,
    planned_stop_us             bigint NOT NULL,
    off_shift_us                bigint NOT NULL,
    producing_automatic_us      bigint NOT NULL,
    producing_semi_automatic_us bigint NOT NULL,
    producing_manual_us         bigint NOT NULL,
    evidence_us                 bigint NOT NULL,
    cycle_producing_us          bigint NOT NULL,
    cycle_setup_us              bigint NOT NULL,
    cycle_busy_us               bigint NOT NULL,
    good                        bigint NOT NULL,
    scrap                       bigint NOT NULL,
    rework                      bigint NOT NULL,
    ideal_pq_us                 numeric NOT NULL,
    ideal_good_us               numeric NOT NULL,
    failures                    integer NOT NULL,
    state_rows                  integer NOT NULL,
    count_rows                  integer NOT NULL,
    signed_count_rows           integer NOT NULL,
    PRIMARY KEY (machine, hour, cohort)
);
COMMENT ON COLUMN machine_hour.cohort IS 'In which the machine was; an hour has a row for each.';
COMMENT ON COLUMN machine_hour.cycle_busy_us IS 'Planned busy time (producing, setup, delayed, faulted, idle) while an ideal cycle is in force.';
COMMENT ON COLUMN machine_hour.ideal_pq_us IS 'Ideal cycle in force at each count, times all pieces counted.';
COMMENT ON COLUMN machine_hour.signed_count_rows IS 'Count rows that came in a signed record.';

CREATE TABLE machine_day (
    machine     integer NOT NULL,
    day         date NOT NULL,
    has_counts  boolean NOT NULL,
    counted     boolean NOT NULL,
    connected   boolean NOT NULL,
    PRIMARY KEY (machine, day)
);
CREATE INDEX machine_day_connected ON machine_day (day, machine) WHERE connected;
COMMENT ON TABLE machine_day IS 'Seoul days of machines with any account: has_counts, at least one count row; counted, that and evidence; connected, evidence or a signed count row.';

CREATE TABLE factory_hour (
    factory                     integer NOT NULL,
    hour                        timestamptz NOT NULL,
    cohort                      integer NOT NULL,
    producing_us                bigint NOT NULL,
    setup_us                    bigint NOT NULL,
    delayed_us                  bigint NOT NULL,
    faulted_us                  bigint NOT NULL,
    idle_us                     bigint NOT NULL,
    planned_stop_us             bigint NOT NULL,
    off_shift_us                bigint NOT NULL,
    producing_automatic_us      bigint NOT NULL,
    producing_semi_automatic_us bigint NOT NULL,
    producing_manual_us         bigint NOT NULL,
    evidence_us                 bigint NOT NULL,
    good                        bigint NOT NULL,
    scrap                       bigint NOT NULL,
    rework                      bigint NOT NULL,
    failures                    bigint NOT NULL,
    counted_busy_us             bigint NOT NULL,
    counted_pieces              bigint NOT NULL,
    counted_cycle_producing_us  bigint NOT NULL,
    counted_cycle_setup_us      bigint NOT NULL,
    counted_cycle_busy_us       bigint NOT NULL,
    counted_ideal_pq_us         numeric NOT NULL,
    counted_ideal_good_us       numeric NOT NULL,
    PRIMARY KEY (factory, hour, cohort)
);
CREATE INDEX factory_hour_cohort ON factory_hour (hour, cohort);
COMMENT ON COLUMN factory_hour.counted_busy_us IS 'Planned busy time of the counted machine-days that this hour is part of.';
COMMENT ON COLUMN factory_hour.counted_pieces IS 'Good, scrap and rework of the same.';
COMMENT ON COLUMN factory_hour.counted_cycle_busy_us IS 'Sum of cycle_busy_us over the same.';

CREATE TABLE factory_day (
    LIKE factory_hour INCLUDING COMMENTS,
    count_days      integer NOT NULL,
    counted_days    integer NOT NULL
);
ALTER TABLE factory_day DROP COLUMN hour;
ALTER TABLE factory_day ADD COLUMN day date NOT NULL, ADD PRIMARY KEY (factory, day, cohort);
CREATE INDEX factory_day_cohort ON factory_day (day, cohort);
COMMENT ON COLUMN factory_day.count_days IS 'Machines with at least one count row on this Seoul day, of those whose day it is (machine_span).';

CREATE TABLE cohort_hour (LIKE factory_hour INCLUDING COMMENTS);
ALTER TABLE cohort_hour DROP COLUMN factory;
ALTER TABLE cohort_hour ADD PRIMARY KEY (hour, cohort);
CREATE TABLE cohort_day (LIKE factory_day INCLUDING COMMENTS);
ALTER TABLE cohort_day DROP COLUMN factory;
ALTER TABLE cohort_day ADD PRIMARY KEY (day, cohort);

-- Which sums by cohort must be made again: insert-only queues, as dirty_mark is.
CREATE TABLE dirty_cohort_hour (cohort integer NOT NULL, hour timestamptz NOT NULL);
CREATE TABLE dirty_cohort_day (cohort integer NOT NULL, day date NOT NULL);

CREATE INDEX ingest_record_unsigned ON ingest_record (id) WHERE NOT signed;

INSERT INTO dirty_mark (shard, machine, from_at, to_at)
SELECT m.shard, m.id, min(s.from_at), max(s.to_at)
FROM machine m JOIN machine_span s ON s.machine = m.id GROUP BY m.shard, m.id;

GRANT SELECT ON cohort, machine_span TO jejo_ingest, jejo_analytics, jejo_api, jejo_verify;
GRANT INSERT, UPDATE, DELETE ON machine_span TO jejo_api;
GRANT INSERT ON cohort TO jejo_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON machine_hour, machine_day, factory_hour, factory_day, cohort_hour, cohort_day,
    dirty_cohort_hour, dirty_cohort_day TO jejo_analytics;
GRANT SELECT (id, received_at, signed) ON ingest_record TO jejo_analytics;
GRANT SELECT ON machine_hour, machine_day, factory_hour, factory_day, cohort_hour, cohort_day TO jejo_api;
GRANT SELECT ON machine_hour, machine_day, factory_hour, factory_day, cohort_hour, cohort_day,
    dirty_cohort_hour, dirty_cohort_day TO jejo_verify;
