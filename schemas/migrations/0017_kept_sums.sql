-- What questions about the nation and its groups need is kept instead of computed: sums by group and day, and steps of
-- what is in use.
--
-- A group is all that has one value of a kind (a region, a sector, ...), in the nation or within one region. Any other
-- intersection is still a sum over cohorts.

-- Which groups each cohort is part of. Cohorts are only ever added. One that has no region has no other attribute either
-- (its factory is not known yet), and is part of a region without a name, so that the regions add up to the nation.
CREATE TABLE cohort_group (
    kind    text NOT NULL,
    within  text NOT NULL,
    value   text NOT NULL,
    cohort  integer NOT NULL REFERENCES cohort,
    PRIMARY KEY (kind, within, value, cohort)
);
CREATE INDEX cohort_group_cohort ON cohort_group (cohort);
COMMENT ON TABLE cohort_group IS 'The groups that each cohort is part of, kept by a trigger on cohort.';
COMMENT ON COLUMN cohort_group.kind IS 'nation, region, sector, zone, sponsor, level or size.';
COMMENT ON COLUMN cohort_group.within IS 'The region within which the group is taken; empty for the whole nation.';
COMMENT ON COLUMN cohort_group.value IS 'Which of its kind, as KR-48 or C25; empty for the nation, and for no region.';

CREATE FUNCTION add_cohort_groups(cohorts integer[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
INSERT INTO cohort_group (kind, within, value, cohort)
SELECT g.kind, g.within, g.value, c.id
FROM cohort c
CROSS JOIN LATERAL (VALUES
    ('nation', '', ''), ('region', '', COALESCE(c.region, '')),
    ('sector', '', c.sector), ('zone', '', c.zone), ('sponsor', '', c.sponsor), ('level', '', c.level), ('size', '', c.size),
    ('sector', c.region, c.sector), ('zone', c.region, c.zone), ('sponsor', c.region, c.sponsor),
    ('level', c.region, c.level), ('size', c.region, c.size)
) AS g(kind, within, value)
WHERE c.id = ANY (cohorts) AND g.within IS NOT NULL AND g.value IS NOT NULL;
END;

CREATE FUNCTION keep_cohort_groups() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_cohort_groups(ARRAY(SELECT id FROM come_rows));
    RETURN NULL;
END
$$;
CREATE TRIGGER cohort_come AFTER INSERT ON cohort REFERENCING NEW TABLE AS come_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_cohort_groups();
SELECT add_cohort_groups(ARRAY(SELECT id FROM cohort));

CREATE TABLE group_day (LIKE cohort_day INCLUDING COMMENTS);
ALTER TABLE group_day DROP COLUMN cohort;
ALTER TABLE group_day
    ADD COLUMN kind text NOT NULL,
    ADD COLUMN within text NOT NULL,
    ADD COLUMN value text NOT NULL,
    ADD PRIMARY KEY (kind, within, value, day);
CREATE INDEX group_day_day ON group_day (kind, day, within);
COMMENT ON TABLE group_day IS 'Sums of cohort_day over the cohorts of a group (cohort_group), written in the transaction that writes these.';

DO $$
DECLARE
    names text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                   WHERE attrelid = 'cohort_day'::regclass AND attnum > 0 AND NOT attisdropped
                     AND attname NOT IN ('day', 'cohort'));
    sums text := (SELECT string_agg(format('sum(%I)', attname), ', ') FROM pg_attribute
                  WHERE attrelid = 'cohort_day'::regclass AND attnum > 0 AND NOT attisdropped
                    AND attname NOT IN ('day', 'cohort'));
BEGIN
    EXECUTE format('INSERT INTO group_day (kind, within, value, day, %s)
                    SELECT g.kind, g.within, g.value, d.day, %s FROM cohort_day d JOIN cohort_group g USING (cohort)
                    GROUP BY g.kind, g.within, g.value, d.day', names, sums);
END
$$;

-- Best and worst factories of a group, over days: what the KPIs that are asked for most are made of is in the index, since
-- a region's factories lie on tens of thousands of pages.
CREATE INDEX factory_day_of_cohort ON factory_day (cohort, day) INCLUDE (factory, producing_us, setup_us, delayed_us,
    faulted_us, idle_us, evidence_us, counted_cycle_busy_us, counted_ideal_good_us);

-- Which factories are in use in a cohort, and when: of twenty machines, one row.
CREATE TABLE factory_span (
    factory     integer NOT NULL,
    cohort      integer NOT NULL REFERENCES cohort,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL CHECK (from_at < to_at),
    PRIMARY KEY (cohort, factory, from_at)
);
CREATE INDEX factory_span_factory ON factory_span (factory);
COMMENT ON TABLE factory_span IS 'Time in which a factory has a machine in use in a cohort (machine_span): kept by a trigger on machine_span.';

-- How many machines and factories of a group begin and cease to be in use, by instant. A machine that moves between
-- cohorts of one group stays in use in it. So what is in use in a group at an instant is the sum of all steps before,
-- and what is in use at any time within a window is that plus whatever begins in it and was not in use in it before:
-- seen_to says until when it was.
CREATE TABLE group_step (
    kind            text NOT NULL,
    within          text NOT NULL,
    value           text NOT NULL,
    at              timestamptz NOT NULL,
    seen_to         timestamptz NOT NULL,
    machines_in     integer NOT NULL CHECK (machines_in >= 0),
    machines_out    integer NOT NULL CHECK (machines_out >= 0),
    factories_in    integer NOT NULL CHECK (factories_in >= 0),
    factories_out   integer NOT NULL CHECK (factories_out >= 0),
    automated       integer NOT NULL,
    days            integer NOT NULL,
    PRIMARY KEY (kind, within, value, at, seen_to)
);
COMMENT ON TABLE group_step IS 'What changes at an instant in a group (cohort_group): kept by a trigger on machine_span, in the same transaction.';
COMMENT ON COLUMN group_step.seen_to IS 'When what begins at this instant had last ceased to be in use in the group; -infinity: it never was, or nothing begins.';
COMMENT ON COLUMN group_step.machines_in IS 'Machines of which something begins to be in use in the group at this instant, and was not just before.';
COMMENT ON COLUMN group_step.machines_out IS 'Machines that cease to be in use in the group.';
COMMENT ON COLUMN group_step.factories_in IS 'Factories that begin to have a machine in use in the group.';
COMMENT ON COLUMN group_step.factories_out IS 'Factories that cease to have one.';
COMMENT ON COLUMN group_step.automated IS 'By how many the machines registered as automatic or robot become more.';
COMMENT ON COLUMN group_step.days IS 'By how many the machines become more whose Seoul day from this midnight on is the group''s (machine_span.first_day).';

CREATE FUNCTION change_group_steps(gone machine_span[], come machine_span[]) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = on SET plan_cache_mode = auto AS $$
BEGIN
-- Loops are for few, and a plan for few is not for the thousands of an import.
IF cardinality(gone) + cardinality(come) > 100 THEN
    SET LOCAL enable_nestloop = off;
    SET LOCAL plan_cache_mode = force_custom_plan;
END IF;
WITH present AS MATERIALIZED (
    SELECT s.* FROM machine_span s
    WHERE s.factory = ANY (ARRAY(SELECT g.factory FROM unnest(gone) AS g UNION SELECT c.factory FROM unnest(come) AS c))
), span AS MATERIALIZED (
    -- The spans of these factories, once as they are and once as they were, which is taken away.
    SELECT 1 AS sign, p.* FROM present p
    UNION ALL
    SELECT -1, p.* FROM present p
    WHERE NOT EXISTS (SELECT FROM unnest(come) AS c WHERE c.machine = p.machine AND c.from_at = p.from_at)
    UNION ALL
    SELECT -1, g.* FROM unnest(gone) AS g
), own AS (
    SELECT s.sign, array_agg(s.cohort ORDER BY s.from_at) AS cohorts,
           array_agg(s.from_at ORDER BY s.from_at) AS from_ats, array_agg(s.to_at ORDER BY s.from_at) AS to_ats,
           array_agg(s.automated ORDER BY s.from_at) AS automated,
           array_agg(s.first_day ORDER BY s.from_at) AS first_days, array_agg(s.end_day ORDER BY s.from_at) AS end_days
    FROM span s
    WHERE s.machine IN (SELECT g.machine FROM unnest(gone) AS g UNION ALL SELECT c.machine FROM unnest(come) AS c)
    GROUP BY s.sign, s.machine
), alike AS (
    -- Of a country's machines, few differ in all of their spans.
    SELECT row_number() OVER () AS history, sum(own.sign)::integer AS machines,
           own.cohorts, own.from_ats, own.to_ats, own.automated, own.first_days, own.end_days
    FROM own
    GROUP BY own.cohorts, own.from_ats, own.to_ats, own.automated, own.first_days, own.end_days
    HAVING sum(own.sign) <> 0
), piece AS (
    SELECT a.machines, g.kind, g.within, g.value, u.from_at, u.to_at, u.automated, u.first_day, u.end_day,
           lag(u.to_at) OVER in_order AS seen_to, lead(u.from_at) OVER in_order AS next_at
    FROM alike a
    CROSS JOIN LATERAL unnest(a.cohorts, a.from_ats, a.to_ats, a.automated, a.first_days, a.end_days)
        AS u(cohort, from_at, to_at, automated, first_day, end_day)
    JOIN cohort_group g ON g.cohort = u.cohort
    WINDOW in_order AS (PARTITION BY a.history, g.kind, g.within, g.value ORDER BY u.from_at)
), added AS (
    SELECT kind, within, value, from_at, to_at, automated, first_day, end_day, seen_to, next_at,
           sum(piece.machines)::integer AS machines
    FROM piece
    GROUP BY kind, within, value, from_at, to_at, automated, first_day, end_day, seen_to, next_at
    HAVING sum(piece.machines) <> 0
), site AS (
    SELECT s.sign, s.factory, g.kind, g.within, g.value, range_agg(tstzrange(s.from_at, s.to_at)) AS during
    FROM (SELECT DISTINCT span.sign, span.factory, span.cohort, span.from_at, span.to_at FROM span) AS s
    JOIN cohort_group g ON g.cohort = s.cohort
    GROUP BY s.sign, s.factory, g.kind, g.within, g.value
), stretch AS (
    SELECT f.factories, f.kind, f.within, f.value, lower(u.bounds) AS from_at, upper(u.bounds) AS to_at,
           lag(upper(u.bounds)) OVER (PARTITION BY f.kind, f.within, f.value, f.during ORDER BY u.bounds) AS seen_to
    FROM (SELECT site.kind, site.within, site.value, site.during, sum(site.sign)::integer AS factories FROM site
          GROUP BY site.kind, site.within, site.value, site.during HAVING sum(site.sign) <> 0) AS f
    CROSS JOIN LATERAL unnest(f.during) AS u(bounds)
), step AS (
    SELECT p.kind, p.within, p.value, s.*
    FROM added p
    CROSS JOIN LATERAL (VALUES
        (p.from_at, COALESCE(p.seen_to, '-infinity'),
         CASE WHEN p.seen_to = p.from_at THEN 0 ELSE p.machines END, 0, 0, 0, 0, 0),
        (p.to_at, '-infinity', 0, CASE WHEN p.next_at = p.to_at THEN 0 ELSE p.machines END, 0, 0, 0, 0),
        (p.from_at, '-infinity', 0, 0, 0, 0, CASE WHEN p.automated THEN p.machines ELSE 0 END, 0),
        (p.to_at, '-infinity', 0, 0, 0, 0, CASE WHEN p.automated THEN -p.machines ELSE 0 END, 0),
        (timezone('Asia/Seoul', p.first_day::timestamp), '-infinity', 0, 0, 0, 0, 0, p.machines),
        (timezone('Asia/Seoul', p.end_day::timestamp), '-infinity', 0, 0, 0, 0, 0, -p.machines)
    ) AS s(at, seen_to, machines_in, machines_out, factories_in, factories_out, automated, days)
    UNION ALL
    SELECT t.kind, t.within, t.value, s.*
    FROM stretch t
    CROSS JOIN LATERAL (VALUES
        (t.from_at, COALESCE(t.seen_to, '-infinity'), 0, 0, t.factories, 0, 0, 0),
        (t.to_at, '-infinity', 0, 0, 0, t.factories, 0, 0)
    ) AS s(at, seen_to, machines_in, machines_out, factories_in, factories_out, automated, days)
), total AS (
    SELECT t.kind, t.within, t.value, t.at, t.seen_to, sum(t.machines_in) AS machines_in,
           sum(t.machines_out) AS machines_out, sum(t.factories_in) AS factories_in,
           sum(t.factories_out) AS factories_out, sum(t.automated) AS automated, sum(t.days) AS days
    FROM step t
    GROUP BY t.kind, t.within, t.value, t.at, t.seen_to
    HAVING (sum(t.machines_in), sum(t.machines_out), sum(t.factories_in), sum(t.factories_out), sum(t.automated),
            sum(t.days)) <> (0, 0, 0, 0, 0, 0)
)
MERGE INTO group_step g USING total t
ON g.kind = t.kind AND g.within = t.within AND g.value = t.value AND g.at = t.at AND g.seen_to = t.seen_to
WHEN MATCHED AND (g.machines_in + t.machines_in, g.machines_out + t.machines_out, g.factories_in + t.factories_in,
                  g.factories_out + t.factories_out, g.automated + t.automated, g.days + t.days) = (0, 0, 0, 0, 0, 0)
    THEN DELETE
WHEN MATCHED THEN UPDATE SET
    machines_in = g.machines_in + t.machines_in, machines_out = g.machines_out + t.machines_out,
    factories_in = g.factories_in + t.factories_in, factories_out = g.factories_out + t.factories_out,
    automated = g.automated + t.automated, days = g.days + t.days
WHEN NOT MATCHED THEN INSERT VALUES (t.kind, t.within, t.value, t.at, t.seen_to, t.machines_in, t.machines_out,
    t.factories_in, t.factories_out, t.automated, t.days);
END
$$;
COMMENT ON FUNCTION change_group_steps IS 'Bring group_step up to date with machine_span, from which some rows have gone and to which some have come.';

CREATE FUNCTION refresh_factory_spans(factories integer[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM factory_span f WHERE f.factory = ANY (factories);
    INSERT INTO factory_span (factory, cohort, from_at, to_at)
    SELECT own.factory, own.cohort, lower(u.bounds), upper(u.bounds)
    FROM (
        SELECT s.factory, s.cohort, range_agg(tstzrange(s.from_at, s.to_at)) AS during
        FROM machine_span s WHERE s.factory = ANY (factories) GROUP BY s.factory, s.cohort
    ) AS own
    CROSS JOIN LATERAL unnest(own.during) AS u(bounds);
END
$$;
COMMENT ON FUNCTION refresh_factory_spans IS 'Recreate factory_span for some factories.';

CREATE FUNCTION keep_group_steps() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    gone machine_span[] := '{}';
    come machine_span[] := '{}';
BEGIN
    IF TG_OP IN ('DELETE', 'UPDATE') THEN
        gone := ARRAY(SELECT ROW(r.*)::machine_span FROM gone_rows r);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        come := ARRAY(SELECT ROW(r.*)::machine_span FROM come_rows r);
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM group_step;
        DELETE FROM factory_span;
    ELSIF cardinality(gone) + cardinality(come) > 0 THEN
        PERFORM change_group_steps(gone, come);
        PERFORM refresh_factory_spans(ARRAY(SELECT factory FROM unnest(gone) UNION SELECT factory FROM unnest(come)));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION keep_group_steps IS 'Keep group_step and factory_span in step with machine_span, whoever changes that.';

CREATE TRIGGER machine_span_come AFTER INSERT ON machine_span REFERENCING NEW TABLE AS come_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_group_steps();
CREATE TRIGGER machine_span_gone AFTER DELETE ON machine_span REFERENCING OLD TABLE AS gone_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_group_steps();
CREATE TRIGGER machine_span_changed AFTER UPDATE ON machine_span REFERENCING OLD TABLE AS gone_rows NEW TABLE AS come_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_group_steps();
CREATE TRIGGER machine_span_emptied AFTER TRUNCATE ON machine_span
    FOR EACH STATEMENT EXECUTE FUNCTION keep_group_steps();

SELECT count(change_group_steps('{}', own.spans))
FROM (SELECT array_agg(s) AS spans FROM machine_span s GROUP BY s.factory / 1000) AS own;
SELECT refresh_factory_spans(ARRAY(SELECT DISTINCT factory FROM machine_span));

GRANT SELECT ON cohort_group TO jejo_analytics, jejo_api, jejo_verify;
GRANT SELECT ON group_day, group_step, factory_span TO jejo_api, jejo_verify;
GRANT INSERT ON cohort_group TO jejo_api;
GRANT INSERT, UPDATE, DELETE ON group_step TO jejo_api;
GRANT INSERT, DELETE ON factory_span TO jejo_api;
GRANT SELECT, INSERT, DELETE ON group_day TO jejo_analytics;
GRANT EXECUTE ON FUNCTION add_cohort_groups(integer[]), change_group_steps(machine_span[], machine_span[]),
    refresh_factory_spans(integer[]) TO jejo_api;
