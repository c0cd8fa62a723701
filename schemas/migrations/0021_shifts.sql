-- Shifts: which of a machine's time is scheduled, and what that changes of its accounts.
--
-- Scheduled time does not depend on what was sent, so nothing is stored of it by machine: a machine's spans in use say which
-- pattern of shifts is in force, schedule_step counts the machines of each group by pattern as group_step counts them, and
-- shifts_between says when the shifts of a pattern are.

-- A pattern is a calendar and what runs in over midnight on the first of its days: the night shift of the day before keeps the
-- calendar of that day, which is another one where calendars change.
CREATE TABLE shift_pattern (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar    integer NOT NULL REFERENCES calendar,
    run_in      integer REFERENCES calendar,
    UNIQUE NULLS NOT DISTINCT (calendar, run_in)
);
COMMENT ON TABLE shift_pattern IS 'Every combination of calendars that was ever in force. Patterns are only ever added.';
COMMENT ON COLUMN shift_pattern.run_in IS 'The calendar of the day before: its last shift may run in over midnight. Null: none was in force.';

CREATE FUNCTION runs_over_midnight(content jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN content @? 'strict $.weekly.*[*] ? (@[1] > 1440)' OR content @? 'strict $.exceptions.*[*] ? (@[1] > 1440)';
COMMENT ON FUNCTION runs_over_midnight IS 'Whether any shift of a calendar ends on the day after it began.';

CREATE VIEW calendar_time AS
SELECT v.factory, v.calendar, p.run_in, p.from_at, p.to_at
FROM calendar_version v
JOIN calendar c ON c.id = v.calendar
LEFT JOIN calendar_version b ON b.factory = v.factory AND b.retired_at IS NULL AND b.effective_to = v.effective_from
LEFT JOIN calendar d ON d.id = b.calendar
CROSS JOIN LATERAL (VALUES
    (CASE WHEN runs_over_midnight(c.content) OR COALESCE(runs_over_midnight(d.content), false) THEN b.calendar ELSE v.calendar END,
     v.effective_from, LEAST(v.effective_to, v.effective_from + INTERVAL '24 hours')),
    (v.calendar, v.effective_from + INTERVAL '24 hours', v.effective_to)
) AS p(run_in, from_at, to_at)
WHERE v.retired_at IS NULL AND p.from_at < p.to_at;
COMMENT ON VIEW calendar_time IS 'Which calendar is in force at a factory, and which one''s last shift may run in over midnight. Days of calendars begin at midnight in Seoul.';

CREATE FUNCTION shifts_between(patterns integer[], window_from timestamptz, window_to timestamptz)
RETURNS TABLE (pattern integer, from_at timestamptz, to_at timestamptz)
LANGUAGE plpgsql STABLE SET jit = off AS $$
#variable_conflict use_column
BEGIN
IF cardinality(patterns) = 0 THEN
    RETURN;
END IF;
RETURN QUERY
WITH wanted AS MATERIALIZED (
    SELECT p.id, p.calendar, p.run_in FROM shift_pattern p WHERE p.id = ANY (patterns)
), own AS MATERIALIZED (
    SELECT c.id, c.content, (c.content ->> 'holidays')::boolean AS takes_holidays
    FROM calendar c
    WHERE c.id = ANY (ARRAY(SELECT wanted.calendar FROM wanted UNION SELECT wanted.run_in FROM wanted))
), weekly AS MATERIALIZED (
    SELECT own.id, w.key::integer AS weekday, (s.shift ->> 0)::integer AS from_min, (s.shift ->> 1)::integer AS to_min
    FROM own CROSS JOIN LATERAL jsonb_each(own.content -> 'weekly') AS w
    CROSS JOIN LATERAL jsonb_array_elements(w.value) AS s(shift)
), exceptional AS MATERIALIZED (
    SELECT own.id, x.key::date AS day, x.value AS shifts
    FROM own CROSS JOIN LATERAL jsonb_each(own.content -> 'exceptions') AS x
    WHERE x.key::date BETWEEN timezone('Asia/Seoul', window_from)::date - 1 AND timezone('Asia/Seoul', window_to)::date
), day AS MATERIALIZED (
    SELECT d.day::date AS day, extract(isodow FROM d.day)::integer - 1 AS weekday,
           EXISTS (SELECT FROM holiday h WHERE h.day = d.day::date AND h.retired_at IS NULL) AS is_holiday
    FROM generate_series(timezone('Asia/Seoul', window_from)::date - 1, timezone('Asia/Seoul', window_to)::date, INTERVAL '1 day')
        AS d(day)
), plan AS MATERIALIZED (
    SELECT own.id AS calendar, day.day, w.from_min, w.to_min
    FROM own JOIN weekly w ON w.id = own.id JOIN day ON day.weekday = w.weekday
    WHERE NOT (own.takes_holidays AND day.is_holiday)
      AND NOT EXISTS (SELECT FROM exceptional x WHERE x.id = own.id AND x.day = day.day)
    UNION ALL
    SELECT x.id, x.day, (s.shift ->> 0)::integer, (s.shift ->> 1)::integer
    FROM exceptional x CROSS JOIN LATERAL jsonb_array_elements(x.shifts) AS s(shift)
), over_midnight AS MATERIALIZED (
    SELECT plan.calendar, plan.day + 1 AS day, max(plan.to_min) - 1440 AS until_min
    FROM plan WHERE plan.to_min > 1440 GROUP BY plan.calendar, plan.day
), piece AS (
    SELECT p.id, plan.day, GREATEST(plan.from_min, COALESCE(o.until_min, 0)) AS from_min, LEAST(plan.to_min, 1440) AS to_min
    FROM wanted p JOIN plan ON plan.calendar = p.calendar
    LEFT JOIN over_midnight o ON o.calendar = p.run_in AND o.day = plan.day
    UNION ALL
    SELECT p.id, o.day, 0, o.until_min FROM wanted p JOIN over_midnight o ON o.calendar = p.run_in
)
SELECT piece.id,
       GREATEST(timezone('Asia/Seoul', piece.day::timestamp) + piece.from_min * INTERVAL '1 minute', window_from),
       LEAST(timezone('Asia/Seoul', piece.day::timestamp) + piece.to_min * INTERVAL '1 minute', window_to)
FROM piece
WHERE piece.from_min < piece.to_min
  AND timezone('Asia/Seoul', piece.day::timestamp) + piece.from_min * INTERVAL '1 minute' < window_to
  AND timezone('Asia/Seoul', piece.day::timestamp) + piece.to_min * INTERVAL '1 minute' > window_from;
END
$$;
COMMENT ON FUNCTION shifts_between IS 'When the shifts of patterns are, within a window, cut at midnight in Seoul; those of one pattern do not overlap. A holiday or an exception replaces the shifts of its day, not what runs in from the day before.';

CREATE FUNCTION scheduled_us(pattern integer, window_from timestamptz, window_to timestamptz) RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT COALESCE(sum(extract(epoch FROM s.to_at - s.from_at) * 1000000), 0)::bigint
        FROM shifts_between(ARRAY[pattern], window_from, window_to) AS s);
COMMENT ON FUNCTION scheduled_us IS 'How much of a window is within the shifts of a pattern.';

CREATE FUNCTION scheduled_in(patterns integer[], starts timestamptz[], ends timestamptz[])
RETURNS TABLE (pattern integer, starts_at timestamptz, us bigint)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
IF cardinality(patterns) = 0 THEN
    RETURN;
END IF;
RETURN QUERY
WITH piece AS (
    SELECT s.pattern, n.place, LEAST(s.to_at, ends[n.place]) - GREATEST(s.from_at, starts[n.place]) AS length
    FROM shifts_between(patterns, starts[1], ends[cardinality(ends)]) AS s
    CROSS JOIN LATERAL generate_series(width_bucket(s.from_at, starts),
                                       width_bucket(s.to_at - INTERVAL '1 microsecond', starts)) AS n(place)
), total AS (
    SELECT p.pattern, p.place, sum(extract(epoch FROM p.length) * 1000000)::bigint AS us
    FROM piece p WHERE p.length > INTERVAL '0' GROUP BY p.pattern, p.place
)
SELECT w.id, starts[b.place], COALESCE(t.us, 0)
FROM unnest(patterns) AS w(id)
CROSS JOIN generate_series(1, cardinality(starts)) AS b(place)
LEFT JOIN total t ON t.pattern = w.id AND t.place = b.place;
END
$$;
COMMENT ON FUNCTION scheduled_in IS 'How much of each of some windows, which are in order and do not overlap, is within the shifts of each pattern.';

ALTER TABLE machine_span ADD COLUMN pattern integer REFERENCES shift_pattern;
COMMENT ON COLUMN machine_span.pattern IS 'The pattern of shifts in force; null: no calendar, and all time in use is scheduled.';

DROP FUNCTION machine_spans_of(integer[]);
CREATE FUNCTION machine_spans_of(machines integer[]) RETURNS TABLE (
    machine integer, from_at timestamptz, to_at timestamptz, factory integer, automated boolean,
    region text, sector text, zone text, sponsor text, level text, size text, calendar integer, run_in integer)
LANGUAGE sql STABLE
BEGIN ATOMIC
WITH chosen AS MATERIALIZED (
    SELECT m.id, m.factory FROM machine m WHERE m.id = ANY (machines)
), site AS MATERIALIZED (
    SELECT DISTINCT chosen.factory FROM chosen
), place AS MATERIALIZED (
    SELECT v.* FROM factory_version v
    WHERE v.retired_at IS NULL AND v.factory = ANY (ARRAY(SELECT site.factory FROM site))
), owner AS MATERIALIZED (
    SELECT v.enterprise, v.effective_from, v.effective_to, size_of(v.employees) AS size
    FROM enterprise_version v
    WHERE v.retired_at IS NULL AND v.enterprise = ANY (ARRAY(SELECT DISTINCT place.enterprise FROM place))
), scheduled AS MATERIALIZED (
    SELECT t.* FROM calendar_time t WHERE t.factory = ANY (ARRAY(SELECT site.factory FROM site))
), cut AS (
    SELECT site.factory, e.at
    FROM site CROSS JOIN (VALUES ('1999-12-31 15:00Z'::timestamptz), ('9999-12-31 00:00Z')) AS e(at)
    UNION
    SELECT place.factory, e.at
    FROM place CROSS JOIN LATERAL (VALUES (place.effective_from), (place.effective_to)) AS e(at)
    UNION
    SELECT place.factory, e.at
    FROM place JOIN owner ON owner.enterprise = place.enterprise
    CROSS JOIN LATERAL (VALUES (owner.effective_from), (owner.effective_to)) AS e(at)
    UNION
    SELECT t.factory, e.at FROM scheduled t CROSS JOIN LATERAL (VALUES (t.from_at), (t.to_at)) AS e(at)
), stretch AS (
    SELECT cut.factory, cut.at AS from_at, lead(cut.at) OVER (PARTITION BY cut.factory ORDER BY cut.at) AS to_at FROM cut
), belonging AS MATERIALIZED (
    SELECT s.factory, s.from_at, s.to_at, p.region, p.sector, p.zone, p.sponsor, p.level, o.size, t.calendar, t.run_in
    FROM stretch s
    LEFT JOIN place p ON p.factory = s.factory AND p.effective_from <= s.from_at AND s.from_at < p.effective_to
    LEFT JOIN owner o ON o.enterprise = p.enterprise AND o.effective_from <= s.from_at AND s.from_at < o.effective_to
    LEFT JOIN scheduled t ON t.factory = s.factory AND t.from_at <= s.from_at AND s.from_at < t.to_at
    WHERE s.to_at IS NOT NULL
), claim AS MATERIALIZED (
    SELECT v.machine, chosen.factory, v.automation IN ('automatic', 'robot') AS automated,
           GREATEST(v.effective_from, timezone('Asia/Seoul', v.in_use_from::timestamp)) AS from_at,
           LEAST(v.effective_to, timezone('Asia/Seoul', v.in_use_to::timestamp)) AS to_at
    FROM machine_version v JOIN chosen ON chosen.id = v.machine
    WHERE v.retired_at IS NULL AND v.machine = ANY (machines)
), piece AS (
    SELECT c.machine, c.factory, c.automated, GREATEST(c.from_at, b.from_at) AS from_at, LEAST(c.to_at, b.to_at) AS to_at,
           b.region, b.sector, b.zone, b.sponsor, b.level, b.size, b.calendar, b.run_in,
           ROW(c.automated, b.region, b.sector, b.zone, b.sponsor, b.level, b.size, b.calendar, b.run_in) AS content
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
       n.region, n.sector, n.zone, n.sponsor, n.level, n.size, n.calendar, n.run_in
FROM numbered n
GROUP BY n.machine, n.span, n.factory, n.automated, n.region, n.sector, n.zone, n.sponsor, n.level, n.size, n.calendar,
         n.run_in;
END;

COMMENT ON FUNCTION machine_spans_of IS 'What machine_span must hold of some machines, from the versions in the registry.';

CREATE OR REPLACE FUNCTION refresh_machine_spans(machines integer[]) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = on AS $$
DECLARE
    -- Accounts before it are never made again, so what they were made of stays as well. An hour is whole or not at all.
    horizon CONSTANT timestamptz := (SELECT date_trunc('hour', max(sealed_before) + interval '1 hour' - interval '1 microsecond')
                                     FROM fact_horizon WHERE table_name IN ('state_event', 'count_event'));
BEGIN
    DELETE FROM machine_span s WHERE s.machine = ANY (machines) AND s.from_at >= horizon;
    UPDATE machine_span s SET to_at = horizon WHERE s.machine = ANY (machines) AND s.to_at > horizon;
    -- Without statistics, what was read of thousands of machines is taken for a few rows; loops are for few.
    IF cardinality(machines) > 100 THEN
        SET LOCAL enable_nestloop = off;
    END IF;
    EXECUTE $query$
        WITH span AS MATERIALIZED (
            SELECT * FROM machine_spans_of($1)
        ), pattern_wanted AS (
            SELECT DISTINCT calendar, run_in FROM span WHERE calendar IS NOT NULL
        ), pattern_added AS (
            INSERT INTO shift_pattern (calendar, run_in)
            SELECT w.calendar, w.run_in FROM pattern_wanted w
            WHERE NOT EXISTS (SELECT FROM shift_pattern p
                              WHERE p.calendar = w.calendar AND p.run_in IS NOT DISTINCT FROM w.run_in)
            RETURNING id, calendar, run_in
        ), pattern AS MATERIALIZED (
            SELECT p.id, p.calendar, p.run_in FROM shift_pattern p
            WHERE p.calendar = ANY (ARRAY(SELECT w.calendar FROM pattern_wanted w))
            UNION ALL SELECT * FROM pattern_added
        ), content AS MATERIALIZED (
            SELECT DISTINCT region, sector, zone, sponsor, level, size FROM span
        ), found AS MATERIALIZED (
            -- No id is empty, and equality, other than IS NOT DISTINCT FROM, can be hashed.
            SELECT k.id, c.*
            FROM content c
            LEFT JOIN cohort k
                ON COALESCE(k.region, '') = COALESCE(c.region, '') AND COALESCE(k.sector, '') = COALESCE(c.sector, '')
                AND COALESCE(k.zone, '') = COALESCE(c.zone, '') AND COALESCE(k.sponsor, '') = COALESCE(c.sponsor, '')
                AND COALESCE(k.level, '') = COALESCE(c.level, '') AND COALESCE(k.size, '') = COALESCE(c.size, '')
        ), added AS (
            INSERT INTO cohort (region, sector, zone, sponsor, level, size)
            SELECT region, sector, zone, sponsor, level, size FROM found WHERE id IS NULL
            RETURNING id, region, sector, zone, sponsor, level, size
        ), known AS MATERIALIZED (
            SELECT * FROM found WHERE id IS NOT NULL UNION ALL SELECT * FROM added
        )
        INSERT INTO machine_span (machine, from_at, to_at, factory, cohort, automated, first_day, end_day, pattern)
        SELECT s.machine, p.from_at, s.to_at, s.factory, k.id, s.automated,
               timezone('Asia/Seoul', p.from_at)::date,
               LEAST(timezone('Asia/Seoul', s.to_at - interval '1 microsecond')::date + 1, '9999-12-31',
                     timezone('Asia/Seoul', lead(p.from_at) OVER (PARTITION BY s.machine ORDER BY p.from_at))::date),
               t.id
        FROM span s
        CROSS JOIN LATERAL (VALUES (GREATEST(s.from_at, $2))) AS p(from_at)
        JOIN known k ON COALESCE(k.region, '') = COALESCE(s.region, '') AND COALESCE(k.sector, '') = COALESCE(s.sector, '')
            AND COALESCE(k.zone, '') = COALESCE(s.zone, '') AND COALESCE(k.sponsor, '') = COALESCE(s.sponsor, '')
            AND COALESCE(k.level, '') = COALESCE(s.level, '') AND COALESCE(k.size, '') = COALESCE(s.size, '')
        LEFT JOIN pattern t ON t.calendar = s.calendar AND COALESCE(t.run_in, 0) = COALESCE(s.run_in, 0)
        WHERE s.to_at > $2
    $query$ USING machines, horizon;
    UPDATE machine_span s
    SET end_day = LEAST(timezone('Asia/Seoul', s.to_at - interval '1 microsecond')::date + 1, own.next_day)
    FROM (
        SELECT m.machine, max(m.from_at) FILTER (WHERE m.from_at < horizon) AS from_at,
               min(m.first_day) FILTER (WHERE m.from_at >= horizon) AS next_day
        FROM machine_span m WHERE m.machine = ANY (machines) GROUP BY m.machine
    ) AS own
    WHERE s.machine = ANY (machines) AND s.machine = own.machine AND s.from_at = own.from_at;
END
$$;

-- How many machines of a group have a pattern of shifts, by instant.
CREATE TABLE schedule_step (
    kind        text NOT NULL,
    within      text NOT NULL,
    value       text NOT NULL,
    pattern     integer NOT NULL REFERENCES shift_pattern,
    at          timestamptz NOT NULL,
    machines    integer NOT NULL CHECK (machines <> 0),
    PRIMARY KEY (kind, within, value, pattern, at)
);
COMMENT ON TABLE schedule_step IS 'By how many the machines in use in a group (cohort_group) that have a pattern of shifts become more at an instant: kept by a trigger on machine_span.';

CREATE FUNCTION change_schedule_steps(gone machine_span[], come machine_span[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
WITH span AS (
    SELECT -1 AS sign, g.cohort, g.pattern, g.from_at, g.to_at FROM unnest(gone) AS g WHERE g.pattern IS NOT NULL
    UNION ALL
    SELECT 1, c.cohort, c.pattern, c.from_at, c.to_at FROM unnest(come) AS c WHERE c.pattern IS NOT NULL
), change AS (
    SELECT s.cohort, s.pattern, e.at, sum(s.sign * e.sign)::integer AS machines
    FROM span s CROSS JOIN LATERAL (VALUES (s.from_at, 1), (s.to_at, -1)) AS e(at, sign)
    GROUP BY s.cohort, s.pattern, e.at
    HAVING sum(s.sign * e.sign) <> 0
), total AS (
    SELECT g.kind, g.within, g.value, c.pattern, c.at, sum(c.machines)::integer AS machines
    FROM change c JOIN cohort_group g ON g.cohort = c.cohort
    GROUP BY g.kind, g.within, g.value, c.pattern, c.at
    HAVING sum(c.machines) <> 0
)
MERGE INTO schedule_step s USING total t
ON s.kind = t.kind AND s.within = t.within AND s.value = t.value AND s.pattern = t.pattern AND s.at = t.at
WHEN MATCHED AND s.machines + t.machines = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET machines = s.machines + t.machines
WHEN NOT MATCHED THEN INSERT VALUES (t.kind, t.within, t.value, t.pattern, t.at, t.machines);
END
$$;
COMMENT ON FUNCTION change_schedule_steps IS 'Bring schedule_step up to date with machine_span, from which some rows have gone and to which some have come.';

CREATE OR REPLACE FUNCTION keep_group_steps() RETURNS trigger
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
        DELETE FROM schedule_step;
        DELETE FROM factory_span;
    ELSIF cardinality(gone) + cardinality(come) > 0 THEN
        PERFORM change_group_steps(gone, come);
        PERFORM change_schedule_steps(gone, come);
        PERFORM refresh_factory_spans(ARRAY(SELECT factory FROM unnest(gone) UNION SELECT factory FROM unnest(come)));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION keep_group_steps IS 'Keep group_step, schedule_step and factory_span in step with machine_span, whoever changes that.';

-- What is held outside shifts: idle time is off_shift there, and evidence outside is no evidence of scheduled time.
ALTER TABLE open_hold ADD COLUMN outside boolean[];
UPDATE open_hold SET outside = array_fill(false, ARRAY[cardinality(machine)]);
ALTER TABLE open_hold ALTER outside SET NOT NULL;
COMMENT ON COLUMN open_hold.state IS 'As it is accounted: idle outside a shift is off_shift.';
COMMENT ON COLUMN open_hold.outside IS 'Whether the hold is outside the factory''s shifts; it ends where that changes.';

CREATE OR REPLACE VIEW open_time AS
SELECT h.factory, u.machine, a.hour, timezone('Asia/Seoul', a.hour)::date AS day, u.cohort, u.state, u.mode, u.with_cycle, u.counted,
       (extract(epoch FROM LEAST(a.accounted_until, u.until_at) - u.from_at) * 1000000)::bigint AS us, u.outside
FROM running_hour a
CROSS JOIN open_hold h
CROSS JOIN LATERAL unnest(h.machine, h.cohort, h.state, h.mode, h.with_cycle, h.counted, h.from_at, h.until_at, h.outside)
    AS u(machine, cohort, state, mode, with_cycle, counted, from_at, until_at, outside)
WHERE u.from_at < a.accounted_until;

DROP FUNCTION time_still_held(account_figure);
ALTER TABLE account_figure ADD COLUMN within_shifts boolean NOT NULL DEFAULT false;

CREATE FUNCTION time_still_held(figure account_figure) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN figure.states IS NULL THEN '0::' || figure.type
    ELSE format('CASE WHEN o.state = ANY (%L::smallint[])', figure.states)
         || CASE WHEN figure.modes IS NULL THEN '' ELSE format(' AND o.mode = ANY (%L::smallint[])', figure.modes) END
         || CASE WHEN figure.with_ideal_cycle THEN ' AND o.with_cycle' ELSE '' END
         || CASE WHEN figure.on_counted_days THEN ' AND o.counted' ELSE '' END
         || CASE WHEN figure.within_shifts THEN ' AND NOT o.outside' ELSE '' END
         || ' THEN o.us ELSE 0 END' END;

COMMENT ON FUNCTION time_still_held IS 'SQL for what a row o of open_time adds to a figure.';

DROP FUNCTION add_account_figure(text, text, text, smallint[], smallint[], boolean, boolean, text);
CREATE FUNCTION add_account_figure(
    figure_level text, figure_name text, figure_type text, figure_states smallint[], figure_modes smallint[],
    with_ideal_cycle boolean, on_counted_days boolean, within_shifts boolean, figure_meaning text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    place text;
BEGIN
    INSERT INTO account_figure (level, position, name, type, states, modes, with_ideal_cycle, on_counted_days, within_shifts, meaning)
    SELECT figure_level, 1 + max(f.position), figure_name, figure_type, figure_states, figure_modes,
           add_account_figure.with_ideal_cycle, add_account_figure.on_counted_days, add_account_figure.within_shifts, figure_meaning
    FROM account_figure f WHERE f.level = figure_level;
    IF figure_level = 'machine' THEN
        EXECUTE format('ALTER TABLE machine_hour_pack ADD COLUMN %I %s[] NOT NULL DEFAULT ''{}''', figure_name, figure_type);
    ELSE
        FOREACH place IN ARRAY '{closed_factory_hour, closed_factory_day, cohort_hour, cohort_day, group_day}'::text[] LOOP
            EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s NOT NULL DEFAULT 0', place, figure_name, figure_type);
            EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', place, figure_name, figure_meaning);
        END LOOP;
    END IF;
    PERFORM refresh_account_views();
END
$$;
COMMENT ON FUNCTION add_account_figure IS 'Add a column to the accounts by machine, or to those by factory and cohort; then mark what is to be accounted again.';
REVOKE EXECUTE ON FUNCTION add_account_figure, time_still_held FROM PUBLIC;

SELECT add_account_figure('machine', 'scheduled_evidence_us', 'bigint', '{1,2,3,4,5,6,7}', NULL, false, false, true,
                          'Of evidence_us, within the factory''s shifts, or all of it where no calendar is in force.');
SELECT add_account_figure('factory', 'scheduled_evidence_us', 'bigint', '{1,2,3,4,5,6,7}', NULL, false, false, true,
                          'Of evidence_us, within the factory''s shifts, or all of it where no calendar is in force.');
-- There was no calendar before.
UPDATE machine_hour_pack SET scheduled_evidence_us = evidence_us;
UPDATE closed_factory_hour SET scheduled_evidence_us = evidence_us;
UPDATE closed_factory_day SET scheduled_evidence_us = evidence_us;
UPDATE cohort_hour SET scheduled_evidence_us = evidence_us;
UPDATE cohort_day SET scheduled_evidence_us = evidence_us;
UPDATE group_day SET scheduled_evidence_us = evidence_us;
DO $$
BEGIN
    ALTER TABLE machine_hour_pack ALTER scheduled_evidence_us SET COMPRESSION lz4;
    ALTER TABLE open_hold ALTER outside SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server was built without lz4: accounts take more time to compress';
END
$$;

REVOKE EXECUTE ON FUNCTION runs_over_midnight, shifts_between, scheduled_us, scheduled_in, machine_spans_of, change_schedule_steps FROM PUBLIC;
GRANT SELECT ON shift_pattern TO jejo_api, jejo_analytics, jejo_verify;
GRANT SELECT ON calendar_time TO jejo_api, jejo_verify;
GRANT INSERT ON shift_pattern TO jejo_api;
GRANT SELECT ON schedule_step TO jejo_api, jejo_verify;
GRANT INSERT, UPDATE, DELETE ON schedule_step TO jejo_api;
GRANT EXECUTE ON FUNCTION runs_over_midnight, machine_spans_of, shifts_between, scheduled_us, scheduled_in,
    change_schedule_steps TO jejo_api;
GRANT EXECUTE ON FUNCTION machine_spans_of, runs_over_midnight TO jejo_verify;
GRANT EXECUTE ON FUNCTION shifts_between TO jejo_analytics;
