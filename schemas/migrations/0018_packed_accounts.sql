-- Accounts of machines packed by factory, and what is still held kept apart from what is closed.
--
-- A nation's machine hours as rows cost twice the time and the space of one row a factory and hour with an array per column. And
-- a state that goes on for hours no longer has its machine's row written again as time passes: open_hold says what each machine
-- is held by, and since when that is not in its hours yet. Readers use views of the old names, which add the two.

CREATE TABLE machine_hour_pack (
    factory                     integer NOT NULL,
    hour                        timestamptz NOT NULL,
    machine                     integer[] NOT NULL,
    cohort                      integer[] NOT NULL,
    producing_us                bigint[] NOT NULL,
    setup_us                    bigint[] NOT NULL,
    delayed_us                  bigint[] NOT NULL,
    faulted_us                  bigint[] NOT NULL,
    idle_us                     bigint[] NOT NULL,
    planned_stop_us             bigint[] NOT NULL,
    off_shift_us                bigint[] NOT NULL,
    producing_automatic_us      bigint[] NOT NULL,
    producing_semi_automatic_us bigint[] NOT NULL,
    producing_manual_us         bigint[] NOT NULL,
    evidence_us                 bigint[] NOT NULL,
    cycle_producing_us          bigint[] NOT NULL,
    cycle_setup_us              bigint[] NOT NULL,
    cycle_busy_us               bigint[] NOT NULL,
    good                        bigint[] NOT NULL,
    scrap                       bigint[] NOT NULL,
    rework                      bigint[] NOT NULL,
    ideal_pq_us                 numeric[] NOT NULL,
    ideal_good_us               numeric[] NOT NULL,
    failures                    integer[] NOT NULL,
    state_rows                  integer[] NOT NULL,
    count_rows                  integer[] NOT NULL,
    signed_count_rows           integer[] NOT NULL,
    PRIMARY KEY (factory, hour)
);
COMMENT ON TABLE machine_hour_pack IS 'The closed time accounts of a factory''s machines in an hour: element n of every array is one machine in one cohort. Read the view machine_hour.';

CREATE TABLE machine_day_pack (
    factory         integer NOT NULL,
    day             date NOT NULL,
    machine         integer[] NOT NULL,
    cohort          integer[] NOT NULL,
    has_counts      boolean[] NOT NULL,
    has_evidence    boolean[] NOT NULL,
    is_signed       boolean[] NOT NULL,
    PRIMARY KEY (factory, day)
);
COMMENT ON TABLE machine_day_pack IS 'The Seoul day of a factory''s machines with any account: element n of every array is one machine. Read the view machine_day.';
COMMENT ON COLUMN machine_day_pack.cohort IS 'The cohort to which the machine''s day belongs (machine_span); 0: to none.';

CREATE TABLE open_hold (
    factory     integer PRIMARY KEY,
    machine     integer[] NOT NULL,
    cohort      integer[] NOT NULL,
    state       smallint[] NOT NULL,
    mode        smallint[] NOT NULL,
    with_cycle  boolean[] NOT NULL,
    counted     boolean[] NOT NULL,
    from_at     timestamptz[] NOT NULL,
    until_at    timestamptz[] NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE open_hold IS 'The states that hold a factory''s machines at accounted_until: element n of every array is one machine.';
COMMENT ON COLUMN open_hold.with_cycle IS 'Whether an ideal cycle is in force.';
COMMENT ON COLUMN open_hold.counted IS 'Whether the machine''s Seoul day is counted so far.';
COMMENT ON COLUMN open_hold.from_at IS 'From this instant on the hold is not in the machine''s closed hours.';
COMMENT ON COLUMN open_hold.until_at IS 'The hold ends here at the latest: by its TTL, by a state known already, or where the registry changes.';

-- A mark for all machines of a shard in one hour, where single ones would be thousands.
CREATE TABLE dirty_shard (
    shard       smallint NOT NULL,
    hour        timestamptz NOT NULL,
    marked_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE dirty_shard IS 'Hours in which every machine of a shard must be accounted again; written by analytics for itself.';

DO $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT attrelid::regclass AS relation, attname FROM pg_attribute
        WHERE attrelid IN ('machine_hour_pack'::regclass, 'open_hold'::regclass, 'machine_day_pack'::regclass)
          AND attnum > 0 AND atttypid::regtype::text LIKE '%[]'
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER %I SET COMPRESSION lz4', place.relation, place.attname);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server was built without lz4: accounts take more time to compress';
END
$$;

INSERT INTO machine_hour_pack
SELECT m.factory, h.hour, array_agg(h.machine ORDER BY h.machine, h.cohort), array_agg(h.cohort ORDER BY h.machine, h.cohort),
       array_agg(h.producing_us ORDER BY h.machine, h.cohort),
       array_agg(h.setup_us ORDER BY h.machine, h.cohort),
       array_agg(h.delayed_us ORDER BY h.machine, h.cohort),
       array_agg(h.faulted_us ORDER BY h.machine, h.cohort),
       array_agg(h.idle_us ORDER BY h.machine, h.cohort),
       array_agg(h.planned_stop_us ORDER BY h.machine, h.cohort),
       array_agg(h.off_shift_us ORDER BY h.machine, h.cohort),
       array_agg(h.producing_automatic_us ORDER BY h.machine, h.cohort),
       array_agg(h.producing_semi_automatic_us ORDER BY h.machine, h.cohort),
       array_agg(h.producing_manual_us ORDER BY h.machine, h.cohort),
       array_agg(h.evidence_us ORDER BY h.machine, h.cohort),
       array_agg(h.cycle_producing_us ORDER BY h.machine, h.cohort),
       array_agg(h.cycle_setup_us ORDER BY h.machine, h.cohort),
       array_agg(h.cycle_busy_us ORDER BY h.machine, h.cohort),
       array_agg(h.good ORDER BY h.machine, h.cohort),
       array_agg(h.scrap ORDER BY h.machine, h.cohort),
       array_agg(h.rework ORDER BY h.machine, h.cohort),
       array_agg(h.ideal_pq_us ORDER BY h.machine, h.cohort),
       array_agg(h.ideal_good_us ORDER BY h.machine, h.cohort),
       array_agg(h.failures ORDER BY h.machine, h.cohort),
       array_agg(h.state_rows ORDER BY h.machine, h.cohort),
       array_agg(h.count_rows ORDER BY h.machine, h.cohort),
       array_agg(h.signed_count_rows ORDER BY h.machine, h.cohort)
FROM machine_hour h JOIN machine m ON m.id = h.machine
GROUP BY m.factory, h.hour;

INSERT INTO machine_day_pack
SELECT factory, day, array_agg(machine ORDER BY machine), array_agg(cohort ORDER BY machine),
       array_agg(has_counts ORDER BY machine), array_agg(has_evidence ORDER BY machine), array_agg(is_signed ORDER BY machine)
FROM (
    SELECT m.factory, h.machine, timezone('Asia/Seoul', h.hour)::date AS day, COALESCE(max(s.cohort), 0) AS cohort,
           sum(h.count_rows) > 0 AS has_counts, sum(h.evidence_us) > 0 AS has_evidence, sum(h.signed_count_rows) > 0 AS is_signed
    FROM machine_hour h
    JOIN machine m ON m.id = h.machine
    LEFT JOIN machine_span s ON s.machine = h.machine AND timezone('Asia/Seoul', h.hour)::date >= s.first_day
        AND timezone('Asia/Seoul', h.hour)::date < s.end_day
    GROUP BY m.factory, h.machine, timezone('Asia/Seoul', h.hour)::date
) AS days
GROUP BY factory, day;

CREATE INDEX machine_hour_pack_hour ON machine_hour_pack USING brin (hour) WITH (pages_per_range = 16, autosummarize = on);

-- Facts come by time, so an hour's lie together in the heap: what a worker reads when a whole country's hour is to be accounted.
CREATE INDEX state_event_at ON state_event USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX count_event_at ON count_event USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

-- Sums by factory of what is closed. hours tells whether anything is left of a day of which an hour went.
ALTER TABLE factory_hour RENAME TO closed_factory_hour;
ALTER TABLE factory_day RENAME TO closed_factory_day;
ALTER TABLE closed_factory_day ADD COLUMN hours integer NOT NULL DEFAULT 0;
ALTER TABLE closed_factory_day ALTER hours DROP DEFAULT;
COMMENT ON COLUMN closed_factory_day.hours IS 'How many hours with a row it adds up.';
UPDATE closed_factory_day d SET hours = own.hours
FROM (
    SELECT factory, cohort, timezone('Asia/Seoul', hour)::date AS day, count(*) AS hours
    FROM closed_factory_hour GROUP BY factory, cohort, timezone('Asia/Seoul', hour)::date
) AS own
WHERE own.factory = d.factory AND own.cohort = d.cohort AND own.day = d.day;

CREATE VIEW running_hour AS
SELECT accounted_until, date_trunc('hour', accounted_until - INTERVAL '1 microsecond', 'UTC') AS hour FROM analytics_state;
COMMENT ON VIEW running_hour IS 'The hour that ends at accounted_until or in which it lies; all time in open_hold up to accounted_until is in it.';

CREATE VIEW open_time AS
SELECT h.factory, u.machine, a.hour, timezone('Asia/Seoul', a.hour)::date AS day, u.cohort, u.state, u.mode, u.with_cycle, u.counted,
       (extract(epoch FROM LEAST(a.accounted_until, u.until_at) - u.from_at) * 1000000)::bigint AS us
FROM running_hour a
CROSS JOIN open_hold h
CROSS JOIN LATERAL unnest(h.machine, h.cohort, h.state, h.mode, h.with_cycle, h.counted, h.from_at, h.until_at)
    AS u(machine, cohort, state, mode, with_cycle, counted, from_at, until_at)
WHERE u.from_at < a.accounted_until;
COMMENT ON VIEW open_time IS 'How much of open_hold lies before accounted_until, by machine.';

-- What the columns of accounts add up, for the part that is still held: the rules of schemas/figures.json.
CREATE TABLE account_figure (
    level               text NOT NULL CHECK (level IN ('machine', 'factory')),
    position            integer NOT NULL,
    name                text NOT NULL,
    type                text NOT NULL CHECK (type IN ('integer', 'bigint', 'numeric')),
    states              smallint[],
    modes               smallint[],
    with_ideal_cycle    boolean NOT NULL,
    on_counted_days     boolean NOT NULL,
    meaning             text NOT NULL,
    PRIMARY KEY (level, name),
    UNIQUE (level, position)
);
COMMENT ON TABLE account_figure IS 'Columns of accounts by machine and by factory: held time in one of the states and modes (null: any) counts toward them.';
INSERT INTO account_figure VALUES
    ('machine', 1, 'producing_us', 'bigint', '{1}', NULL, false, false, 'Making, value-adding (APT).'),
    ('machine', 2, 'setup_us', 'bigint', '{2}', NULL, false, false, 'Preparing for an order (AUST).'),
    ('machine', 3, 'delayed_us', 'bigint', '{3}', NULL, false, false, 'An order runs but the machine waits (ADET, with faulted_us).'),
    ('machine', 4, 'faulted_us', 'bigint', '{4}', NULL, false, false, 'Malfunction while in use (ADET, with delayed_us).'),
    ('machine', 5, 'idle_us', 'bigint', '{5}', NULL, false, false, 'Could be used, is not (ADOT).'),
    ('machine', 6, 'planned_stop_us', 'bigint', '{6}', NULL, false, false, 'Break, planned maintenance, engineering (PDOT).'),
    ('machine', 7, 'off_shift_us', 'bigint', '{7}', NULL, false, false, 'Not scheduled, outside POT.'),
    ('machine', 8, 'producing_automatic_us', 'bigint', '{1}', '{1}', false, false, 'Of producing_us, in mode automatic.'),
    ('machine', 9, 'producing_semi_automatic_us', 'bigint', '{1}', '{2}', false, false, 'Of producing_us, in mode semi_automatic.'),
    ('machine', 10, 'producing_manual_us', 'bigint', '{1}', '{3}', false, false, 'Of producing_us, in mode manual; what is left is in an unknown mode.'),
    ('machine', 11, 'evidence_us', 'bigint', '{1,2,3,4,5,6,7}', NULL, false, false, 'Time held by a received state other than unknown, before any calendar.'),
    ('machine', 12, 'cycle_producing_us', 'bigint', '{1}', NULL, true, false, 'Of producing_us, while an ideal cycle is in force.'),
    ('machine', 13, 'cycle_setup_us', 'bigint', '{2}', NULL, true, false, 'Of setup_us, while an ideal cycle is in force.'),
    ('machine', 14, 'cycle_busy_us', 'bigint', '{1,2,3,4,5}', NULL, true, false, 'Planned busy time (producing, setup, delayed, faulted, idle) while an ideal cycle is in force.'),
    ('machine', 15, 'good', 'bigint', NULL, NULL, false, false, 'Good pieces.'),
    ('machine', 16, 'scrap', 'bigint', NULL, NULL, false, false, 'Scrapped pieces.'),
    ('machine', 17, 'rework', 'bigint', NULL, NULL, false, false, 'Pieces to be reworked.'),
    ('machine', 18, 'ideal_pq_us', 'numeric', NULL, NULL, false, false, 'Ideal cycle in force at each count, times all pieces counted.'),
    ('machine', 19, 'ideal_good_us', 'numeric', NULL, NULL, false, false, 'Ideal cycle in force at each count, times good pieces.'),
    ('machine', 20, 'failures', 'integer', NULL, NULL, false, false, 'Faulted rows whose state just before is known and not faulted.'),
    ('machine', 21, 'state_rows', 'integer', NULL, NULL, false, false, 'State rows in force.'),
    ('machine', 22, 'count_rows', 'integer', NULL, NULL, false, false, 'Count rows in force.'),
    ('machine', 23, 'signed_count_rows', 'integer', NULL, NULL, false, false, 'Count rows that came in a signed record.'),
    ('factory', 1, 'producing_us', 'bigint', '{1}', NULL, false, false, 'Making, value-adding (APT).'),
    ('factory', 2, 'setup_us', 'bigint', '{2}', NULL, false, false, 'Preparing for an order (AUST).'),
    ('factory', 3, 'delayed_us', 'bigint', '{3}', NULL, false, false, 'An order runs but the machine waits (ADET, with faulted_us).'),
    ('factory', 4, 'faulted_us', 'bigint', '{4}', NULL, false, false, 'Malfunction while in use (ADET, with delayed_us).'),
    ('factory', 5, 'idle_us', 'bigint', '{5}', NULL, false, false, 'Could be used, is not (ADOT).'),
    ('factory', 6, 'planned_stop_us', 'bigint', '{6}', NULL, false, false, 'Break, planned maintenance, engineering (PDOT).'),
    ('factory', 7, 'off_shift_us', 'bigint', '{7}', NULL, false, false, 'Not scheduled, outside POT.'),
    ('factory', 8, 'producing_automatic_us', 'bigint', '{1}', '{1}', false, false, 'Of producing_us, in mode automatic.'),
    ('factory', 9, 'producing_semi_automatic_us', 'bigint', '{1}', '{2}', false, false, 'Of producing_us, in mode semi_automatic.'),
    ('factory', 10, 'producing_manual_us', 'bigint', '{1}', '{3}', false, false, 'Of producing_us, in mode manual; what is left is in an unknown mode.'),
    ('factory', 11, 'evidence_us', 'bigint', '{1,2,3,4,5,6,7}', NULL, false, false, 'Time held by a received state other than unknown, before any calendar.'),
    ('factory', 12, 'good', 'bigint', NULL, NULL, false, false, 'Good pieces.'),
    ('factory', 13, 'scrap', 'bigint', NULL, NULL, false, false, 'Scrapped pieces.'),
    ('factory', 14, 'rework', 'bigint', NULL, NULL, false, false, 'Pieces to be reworked.'),
    ('factory', 15, 'failures', 'bigint', NULL, NULL, false, false, 'Faulted rows whose state just before is known and not faulted.'),
    ('factory', 16, 'counted_busy_us', 'bigint', '{1,2,3,4,5}', NULL, false, true, 'Planned busy time (producing, setup, delayed, faulted, idle) on counted machine-days: denominator of throughput.'),
    ('factory', 17, 'counted_pieces', 'bigint', NULL, NULL, false, true, 'All pieces (good, scrap, rework) on counted machine-days: numerator of throughput.'),
    ('factory', 18, 'counted_cycle_producing_us', 'bigint', '{1}', NULL, true, true, 'Producing time on counted machine-days while an ideal cycle is in force: denominator of effectiveness.'),
    ('factory', 19, 'counted_cycle_setup_us', 'bigint', '{2}', NULL, true, true, 'Set-up time on counted machine-days while an ideal cycle is in force: for NEE.'),
    ('factory', 20, 'counted_cycle_busy_us', 'bigint', '{1,2,3,4,5}', NULL, true, true, 'Planned busy time on counted machine-days while an ideal cycle is in force: denominator of OEE.'),
    ('factory', 21, 'counted_ideal_pq_us', 'numeric', NULL, NULL, false, true, 'Ideal cycle times all pieces on counted machine-days: numerator of effectiveness.'),
    ('factory', 22, 'counted_ideal_good_us', 'numeric', NULL, NULL, false, true, 'Ideal cycle times good pieces on counted machine-days: numerator of OEE.');

CREATE FUNCTION time_still_held(figure account_figure) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN figure.states IS NULL THEN '0::' || figure.type
    ELSE format('CASE WHEN o.state = ANY (%L::smallint[])', figure.states)
         || CASE WHEN figure.modes IS NULL THEN '' ELSE format(' AND o.mode = ANY (%L::smallint[])', figure.modes) END
         || CASE WHEN figure.with_ideal_cycle THEN ' AND o.with_cycle' ELSE '' END
         || CASE WHEN figure.on_counted_days THEN ' AND o.counted' ELSE '' END
         || ' THEN o.us ELSE 0 END' END;
COMMENT ON FUNCTION time_still_held IS 'SQL for what a row o of open_time adds to a figure.';

-- Each view has one row for each key: only the running hour or day, which may be partly open, is added up.
CREATE FUNCTION refresh_account_views() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    names text; packed text; unpacked text; sums text; held text; place record;
BEGIN
    SELECT string_agg(format('%I', name), ', ' ORDER BY position), string_agg(format('p.%I', name), ', ' ORDER BY position),
           string_agg(format('COALESCE(u.%1$I, 0) AS %1$I', name), ', ' ORDER BY position),
           string_agg(format('sum(r.%1$I)::%2$s AS %1$I', name, type), ', ' ORDER BY position),
           string_agg(time_still_held(f), ', ' ORDER BY position)
    INTO names, packed, unpacked, sums, held FROM account_figure f WHERE level = 'machine';
    EXECUTE format($view$
        CREATE OR REPLACE VIEW past_machine_hour AS
        SELECT p.factory, u.machine, p.hour, u.cohort, %3$s
        FROM machine_hour_pack p CROSS JOIN LATERAL unnest(p.machine, p.cohort, %2$s) AS u(machine, cohort, %1$s)
        WHERE p.hour IS DISTINCT FROM (SELECT hour FROM running_hour)
        $view$, names, packed, unpacked);
    EXECUTE format($view$
        CREATE OR REPLACE VIEW running_machine_hour AS
        SELECT r.factory, r.machine, r.hour, r.cohort, %4$s
        FROM (
            SELECT p.factory, u.machine, a.hour, u.cohort, %3$s
            FROM running_hour a JOIN machine_hour_pack p ON p.hour = a.hour
            CROSS JOIN LATERAL unnest(p.machine, p.cohort, %2$s) AS u(machine, cohort, %1$s)
            UNION ALL
            SELECT o.factory, o.machine, o.hour, o.cohort, %5$s FROM open_time o
        ) AS r
        GROUP BY r.factory, r.machine, r.hour, r.cohort
        $view$, names, packed, unpacked, sums, held);
    EXECUTE format($view$
        CREATE OR REPLACE VIEW machine_hour AS
        SELECT factory, machine, hour, cohort, %1$s FROM past_machine_hour
        UNION ALL
        SELECT factory, machine, hour, cohort, %1$s FROM running_machine_hour
        $view$, names);
    SELECT string_agg(format('%I', name), ', ' ORDER BY position),
           string_agg(format('sum(r.%1$I)::%2$s AS %1$I', name, type), ', ' ORDER BY position),
           string_agg(time_still_held(f), ', ' ORDER BY position)
    INTO names, sums, held FROM account_figure f WHERE level = 'factory';
    EXECUTE format($view$
        CREATE OR REPLACE VIEW factory_hour AS
        SELECT p.factory, p.hour, p.cohort, %1$s
        FROM closed_factory_hour p WHERE p.hour IS DISTINCT FROM (SELECT hour FROM running_hour)
        UNION ALL
        SELECT r.factory, r.hour, r.cohort, %2$s
        FROM (
            SELECT p.factory, a.hour, p.cohort, %1$s FROM running_hour a JOIN closed_factory_hour p ON p.hour = a.hour
            UNION ALL
            SELECT o.factory, o.hour, o.cohort, %3$s FROM open_time o
        ) AS r
        GROUP BY r.factory, r.hour, r.cohort
        $view$, names, sums, held);
    EXECUTE format($view$
        CREATE OR REPLACE VIEW factory_day AS
        SELECT p.factory, p.day, p.cohort, p.count_days, p.counted_days, %1$s
        FROM closed_factory_day p WHERE p.day IS DISTINCT FROM (SELECT timezone('Asia/Seoul', hour)::date FROM running_hour)
        UNION ALL
        SELECT r.factory, r.day, r.cohort, sum(r.count_days)::integer AS count_days, sum(r.counted_days)::integer AS counted_days, %2$s
        FROM (
            SELECT p.factory, a.day, p.cohort, p.count_days, p.counted_days, %1$s
            FROM (SELECT timezone('Asia/Seoul', hour)::date AS day FROM running_hour) AS a
            JOIN closed_factory_day p ON p.day = a.day
            UNION ALL
            SELECT o.factory, o.day, o.cohort, 0, 0, %3$s FROM open_time o
        ) AS r
        GROUP BY r.factory, r.day, r.cohort
        $view$, names, sums, held);
    FOR place IN
        SELECT view, f.name, f.meaning FROM account_figure f
        JOIN (VALUES ('machine', 'machine_hour'), ('factory', 'factory_hour'), ('factory', 'factory_day')) AS v(level, view) USING (level)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', place.view, place.name, place.meaning);
    END LOOP;
END
$$;
COMMENT ON FUNCTION refresh_account_views IS 'Recreate the views machine_hour, factory_hour and factory_day from account_figure.';

CREATE FUNCTION add_account_figure(
    figure_level text, figure_name text, figure_type text, figure_states smallint[], figure_modes smallint[],
    with_ideal_cycle boolean, on_counted_days boolean, figure_meaning text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    place text;
BEGIN
    INSERT INTO account_figure
    SELECT figure_level, 1 + max(f.position), figure_name, figure_type, figure_states, figure_modes,
           add_account_figure.with_ideal_cycle, add_account_figure.on_counted_days, figure_meaning
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
REVOKE EXECUTE ON FUNCTION refresh_account_views, add_account_figure, time_still_held FROM PUBLIC;

-- Views of the old names; what depends on the old tables is created again with its comments.
DO $$
DECLARE
    definitions jsonb := jsonb_build_object('research.machine_hour', pg_get_viewdef('research.machine_hour'::regclass),
                                            'research.factory_day', pg_get_viewdef('research.factory_day'::regclass));
    comments jsonb := (
        SELECT jsonb_agg(jsonb_build_array(d.objoid::regclass::text, a.attname, d.description))
        FROM pg_description d LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
        WHERE d.classoid = 'pg_class'::regclass
          AND d.objoid IN ('research.machine_hour'::regclass, 'research.factory_day'::regclass));
    place jsonb;
    name text;
    definition text;
BEGIN
    DROP VIEW research.machine_hour, research.factory_day;
    DROP TABLE machine_hour, machine_day;
    CREATE VIEW machine_day AS
    SELECT p.factory, u.machine, p.day, u.has_counts, u.has_counts AND u.has_evidence AS counted,
           u.has_evidence OR u.is_signed AS connected
    FROM machine_day_pack p
    CROSS JOIN LATERAL unnest(p.machine, p.has_counts, p.has_evidence, p.is_signed) AS u(machine, has_counts, has_evidence, is_signed);
    PERFORM refresh_account_views();
    FOR name IN SELECT jsonb_object_keys(definitions) LOOP
        definition := rtrim(replace(replace(replace(
            definitions ->> name, 'closed_factory_day', 'factory_day'),
            'm.id = h.machine', 'm.id = h.machine AND m.factory = h.factory'),
            'd.machine = h.machine', 'd.machine = h.machine AND d.factory = h.factory'), ';');
        -- Joined to the registry one by one, so that a condition on the factory leads to its packs.
        IF name = 'research.machine_hour' THEN
            definition := regexp_replace(definition, '\mmachine_hour h\M', 'past_machine_hour h') || ' UNION ALL '
                          || regexp_replace(definition, '\mmachine_hour h\M', 'running_machine_hour h');
        END IF;
        EXECUTE format('CREATE VIEW %s WITH (security_barrier) AS %s', name, definition);
        EXECUTE format('GRANT SELECT ON %s TO researcher', name);
    END LOOP;
    FOR place IN SELECT * FROM jsonb_array_elements(comments) LOOP
        IF place ->> 1 IS NULL THEN
            EXECUTE format('COMMENT ON VIEW %s IS %L', place ->> 0, place ->> 2);
        ELSE
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', place ->> 0, place ->> 1, place ->> 2);
        END IF;
    END LOOP;
END
$$;

COMMENT ON VIEW past_machine_hour IS 'machine_hour without the running hour.';
COMMENT ON VIEW running_machine_hour IS 'machine_hour of the running hour.';
COMMENT ON VIEW machine_hour IS 'Time accounts: what a machine did within an hour, by cohort. There is a row only where a row or held time was accounted.';
COMMENT ON COLUMN machine_hour.cohort IS 'The cohort that the machine was in; an hour has one row for each.';
COMMENT ON VIEW machine_day IS 'Seoul days of machines with any account: has_counts, at least one count row; counted, that and evidence; connected, evidence or a signed count row.';
COMMENT ON VIEW factory_hour IS 'Sums over the hours of a factory''s machines, by cohort; counted_ columns add up counted machine-days only.';
COMMENT ON VIEW factory_day IS 'Sums of factory_hour over Seoul days, and how many machine-days have counts.';
COMMENT ON COLUMN factory_day.count_days IS 'Machine-days in Seoul with at least one count row; a day in several cohorts is that of the last.';
COMMENT ON COLUMN factory_day.counted_days IS 'Machine-days in Seoul with at least one count row, and evidence; a day in several cohorts is that of the last.';
COMMENT ON TABLE closed_factory_hour IS 'factory_hour without the time that is still held.';
COMMENT ON TABLE closed_factory_day IS 'factory_day without the time that is still held.';

-- What machines are held by is found by accounting them: all of the running hour, once.
INSERT INTO dirty_shard (shard, hour)
SELECT shard, date_trunc('hour', accounted_until - INTERVAL '1 microsecond', 'UTC') FROM analytics_state, generate_series(0, 63) AS shard;

GRANT SELECT, INSERT, UPDATE, DELETE ON machine_hour_pack, machine_day_pack, open_hold, dirty_shard TO jejo_analytics;
GRANT SELECT ON machine_hour, machine_day, factory_hour, factory_day, open_time, running_hour TO jejo_analytics, jejo_api, jejo_verify;
GRANT SELECT ON machine_hour_pack, machine_day_pack, open_hold, dirty_shard, closed_factory_hour, closed_factory_day TO jejo_verify;
GRANT SELECT ON dirty_shard TO jejo_status;
