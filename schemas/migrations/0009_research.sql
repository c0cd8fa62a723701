-- What researchers read: schema research, and the role researcher, which can read its views and do nothing else.
--
-- Views speak in natural identifiers and words. What would name a company (its number, names, exact employees) and whatever
-- leads to keys, gateways or single records is not in them. They are security barriers, so no function of a reader's own
-- sees a row that a view leaves out. Read them with conditions on the plain columns: those reach the tables below.

CREATE SCHEMA research;
COMMENT ON SCHEMA research IS 'Read-only views for data scientists: facts in force, time accounts, and the registry in its versions.';

-- Tiles of a factory's versions and its enterprise's: within one, nothing changes. What the view leaves out may have changed
-- between two, so equal neighbours are put together again.
CREATE VIEW research.factory WITH (security_barrier) AS
SELECT factory_id, region, sector, zone, sponsor, level, size, established_on, closed_on,
       lower(span) AS effective_from, upper(span) AS effective_to
FROM (
    SELECT factory_id, region, sector, zone, sponsor, level, size, established_on, closed_on,
           unnest(range_agg(tstzrange(from_at, to_at))) AS span
    FROM (
        SELECT f.factory_id, v.region, v.sector, v.zone, v.sponsor, v.level, v.established_on, v.closed_on,
               CASE WHEN e.employees >= 300 THEN '300+' WHEN e.employees >= 50 THEN '50-299'
                    WHEN e.employees >= 10 THEN '10-49' WHEN e.employees >= 1 THEN '1-9' END AS size,
               cut.at AS from_at, COALESCE(cut.next_at, v.effective_to) AS to_at
        FROM factory f
        JOIN factory_version v ON v.factory = f.id AND v.retired_at IS NULL
        CROSS JOIN LATERAL (
            SELECT at, lead(at) OVER (ORDER BY at) AS next_at
            FROM (
                SELECT v.effective_from AS at
                UNION
                SELECT edge.at
                FROM enterprise_version x CROSS JOIN LATERAL (VALUES (x.effective_from), (x.effective_to)) AS edge(at)
                WHERE x.enterprise = v.enterprise AND x.retired_at IS NULL
                  AND edge.at > v.effective_from AND edge.at < v.effective_to
            ) AS edges
        ) AS cut
        LEFT JOIN enterprise_version e ON e.enterprise = v.enterprise AND e.retired_at IS NULL
            AND e.effective_from <= cut.at AND e.effective_to > cut.at
    ) AS tile
    GROUP BY factory_id, region, sector, zone, sponsor, level, size, established_on, closed_on
) AS version;

COMMENT ON VIEW research.factory IS 'Factories as registered, one row per factory and version: (factory_id, effective_from) is unique, and versions of a factory do not overlap.';
COMMENT ON COLUMN research.factory.factory_id IS 'The factory''s identifier, as in every other view. The company behind it is not told.';
COMMENT ON COLUMN research.factory.region IS 'ISO 3166-2:KR, as KR-48.';
COMMENT ON COLUMN research.factory.sector IS 'KSIC section and division, as C25.';
COMMENT ON COLUMN research.factory.zone IS 'Smart industrial zone; null: in none.';
COMMENT ON COLUMN research.factory.sponsor IS 'Conglomerate that supports the factory; null: none.';
COMMENT ON COLUMN research.factory.level IS 'Smart-factory level: none, basic, intermediate_1, intermediate_2 or advanced.';
COMMENT ON COLUMN research.factory.size IS 'Employees of the enterprise: 1-9, 10-49, 50-299 or 300+; null: not known.';
COMMENT ON COLUMN research.factory.established_on IS 'Day in Seoul on which it became a smart factory; null: it is none, or the day is not known.';
COMMENT ON COLUMN research.factory.closed_on IS 'Day in Seoul on which it closed; null: it is open.';
COMMENT ON COLUMN research.factory.effective_from IS 'From this instant on the version holds; 2000-01-01 in Seoul where it always did.';
COMMENT ON COLUMN research.factory.effective_to IS 'Before this instant the version holds; 9999-12-31 where no end is known.';

CREATE VIEW research.machine WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, v.kind, v.automation, v.state_ttl_us, v.ideal_cycle_us, v.capacity_per_h,
       timezone('Asia/Seoul', v.in_use_from::timestamp) AS in_use_from,
       timezone('Asia/Seoul', v.in_use_to::timestamp) AS in_use_to,
       v.effective_from, v.effective_to
FROM factory f
JOIN machine m ON m.factory = f.id
JOIN machine_version v ON v.machine = m.id AND v.retired_at IS NULL;

COMMENT ON VIEW research.machine IS 'Machines as registered, one row per machine and version: (factory_id, machine_id, effective_from) is unique, and versions of a machine do not overlap. A machine is in use at an instant if the version in force then says so.';
COMMENT ON COLUMN research.machine.factory_id IS 'The factory it stands in.';
COMMENT ON COLUMN research.machine.machine_id IS 'The machine''s identifier, unique within its factory.';
COMMENT ON COLUMN research.machine.kind IS 'What it is, as machining_centre.';
COMMENT ON COLUMN research.machine.automation IS 'What it is registered as: manual, semi_automatic, automatic or robot.';
COMMENT ON COLUMN research.machine.state_ttl_us IS 'For how many microseconds a state holds without being asserted again.';
COMMENT ON COLUMN research.machine.ideal_cycle_us IS 'Microseconds that one piece should take; null: not registered.';
COMMENT ON COLUMN research.machine.capacity_per_h IS 'Pieces that it can make in an hour; null: not registered.';
COMMENT ON COLUMN research.machine.in_use_from IS 'Instant (a midnight in Seoul) from which the machine is in use.';
COMMENT ON COLUMN research.machine.in_use_to IS 'Instant (a midnight in Seoul) before which the machine is in use; null: until further notice.';
COMMENT ON COLUMN research.machine.effective_from IS 'From this instant on the version holds; 2000-01-01 in Seoul where it always did.';
COMMENT ON COLUMN research.machine.effective_to IS 'Before this instant the version holds; 9999-12-31 where no end is known.';

CREATE VIEW research.state_event WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, s.at,
       CASE s.state WHEN 0 THEN 'unknown' WHEN 1 THEN 'producing' WHEN 2 THEN 'setup' WHEN 3 THEN 'delayed'
                    WHEN 4 THEN 'faulted' WHEN 5 THEN 'idle' WHEN 6 THEN 'planned_stop' WHEN 7 THEN 'off_shift' END AS state,
       CASE s.mode WHEN 0 THEN 'unknown' WHEN 1 THEN 'automatic' WHEN 2 THEN 'semi_automatic' WHEN 3 THEN 'manual' END AS mode,
       s.reason, s.revision
FROM state_event s
JOIN machine m ON m.id = s.machine
JOIN factory f ON f.id = m.factory
WHERE NOT s.retracted;

COMMENT ON VIEW research.state_event IS 'What machines said of their state, one row per (factory_id, machine_id, at): the version in force, without what was retracted. A state holds until the machine''s next row, and no longer than its state_ttl_us.';
COMMENT ON COLUMN research.state_event.factory_id IS 'The factory that the machine stands in.';
COMMENT ON COLUMN research.state_event.machine_id IS 'The machine, unique within its factory.';
COMMENT ON COLUMN research.state_event.at IS 'Instant from which the state holds.';
COMMENT ON COLUMN research.state_event.state IS 'producing, setup, delayed, faulted, idle, planned_stop, off_shift or unknown (a hold''s end, and no evidence).';
COMMENT ON COLUMN research.state_event.mode IS 'How the machine is controlled: automatic, semi_automatic, manual or unknown.';
COMMENT ON COLUMN research.state_event.reason IS 'Why, in the factory''s own words; null: not said.';
COMMENT ON COLUMN research.state_event.revision IS 'Revision in force; 0: as first sent.';

CREATE VIEW research.count_event WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, c.at, c.product, c.good, c.scrap, c.rework, c.revision
FROM count_event c
JOIN machine m ON m.id = c.machine
JOIN factory f ON f.id = m.factory
WHERE NOT c.retracted;

COMMENT ON VIEW research.count_event IS 'Pieces made, one row per (factory_id, machine_id, at, product): the version in force, without what was retracted. Each row adds to what was counted before.';
COMMENT ON COLUMN research.count_event.factory_id IS 'The factory that the machine stands in.';
COMMENT ON COLUMN research.count_event.machine_id IS 'The machine, unique within its factory.';
COMMENT ON COLUMN research.count_event.at IS 'Instant at which the last of these pieces was completed.';
COMMENT ON COLUMN research.count_event.product IS 'Which product, in the factory''s own words; empty: not said.';
COMMENT ON COLUMN research.count_event.good IS 'Good pieces since the machine''s last count.';
COMMENT ON COLUMN research.count_event.scrap IS 'Scrapped pieces since the machine''s last count.';
COMMENT ON COLUMN research.count_event.rework IS 'Pieces to be reworked since the machine''s last count.';
COMMENT ON COLUMN research.count_event.revision IS 'Revision in force; 0: as first sent.';

CREATE VIEW research.reading WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, n.name AS metric, r.at, r.value, r.revision
FROM reading r
JOIN metric n ON n.id = r.metric
JOIN machine m ON m.id = r.machine
JOIN factory f ON f.id = m.factory
WHERE NOT r.retracted;

COMMENT ON VIEW research.reading IS 'Numbers that machines measured, one row per (factory_id, machine_id, metric, at): the version in force, without what was retracted.';
COMMENT ON COLUMN research.reading.factory_id IS 'The factory that the machine stands in.';
COMMENT ON COLUMN research.reading.machine_id IS 'The machine, unique within its factory.';
COMMENT ON COLUMN research.reading.metric IS 'What was measured; the name ends in its unit, as spindle_load_pct.';
COMMENT ON COLUMN research.reading.at IS 'Instant of the measurement.';
COMMENT ON COLUMN research.reading.value IS 'The number, in the metric''s unit.';
COMMENT ON COLUMN research.reading.revision IS 'Revision in force; 0: as first sent.';

-- Accounts are shown in the rows in which they are kept, one a cohort: sums by cohort are then the API's to the microsecond,
-- and no sum stands between a question and an index.
CREATE VIEW research.machine_hour WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, h.hour, c.region, c.sector, c.zone, c.sponsor, c.level, c.size,
       h.producing_us, h.setup_us, h.delayed_us, h.faulted_us, h.idle_us, h.planned_stop_us, h.off_shift_us,
       h.producing_automatic_us, h.producing_semi_automatic_us, h.producing_manual_us, h.evidence_us,
       h.good, h.scrap, h.rework, h.failures, COALESCE(d.counted, false) AS counted,
       h.cycle_producing_us, h.cycle_setup_us, h.cycle_busy_us, h.ideal_pq_us, h.ideal_good_us,
       h.hour + INTERVAL '1 hour' > (SELECT accounted_until FROM analytics_state) AS partial
FROM machine_hour h
JOIN machine m ON m.id = h.machine
JOIN factory f ON f.id = m.factory
LEFT JOIN cohort c ON c.id = h.cohort
LEFT JOIN machine_day d ON d.machine = h.machine AND d.day = timezone('Asia/Seoul', h.hour)::date;

COMMENT ON VIEW research.machine_hour IS 'Time accounts, one row per (factory_id, machine_id, hour) with at least a held state or a count row; two, with each its part, where the factory''s cohort (region to size) changed within the hour. What of the machine''s time in use is in none of the seven states is unknown, and so is every hour without a row. Durations are microseconds.';
COMMENT ON COLUMN research.machine_hour.factory_id IS 'The factory that the machine stands in.';
COMMENT ON COLUMN research.machine_hour.machine_id IS 'The machine, unique within its factory.';
COMMENT ON COLUMN research.machine_hour.hour IS 'Instant at which the hour begins; Seoul''s hours are UTC''s.';
COMMENT ON COLUMN research.machine_hour.region IS 'The factory''s region at the time counted; null, as the next five: nothing was registered then.';
COMMENT ON COLUMN research.machine_hour.sector IS 'The factory''s sector at the time counted.';
COMMENT ON COLUMN research.machine_hour.zone IS 'The factory''s zone at the time counted; null: in none.';
COMMENT ON COLUMN research.machine_hour.sponsor IS 'The factory''s sponsor at the time counted; null: none.';
COMMENT ON COLUMN research.machine_hour.level IS 'The factory''s smart-factory level at the time counted.';
COMMENT ON COLUMN research.machine_hour.size IS 'The enterprise''s size at the time counted; null: not known.';
COMMENT ON COLUMN research.machine_hour.producing_us IS 'Making, value-adding (APT).';
COMMENT ON COLUMN research.machine_hour.setup_us IS 'Preparing for an order (AUST).';
COMMENT ON COLUMN research.machine_hour.delayed_us IS 'An order runs but the machine waits (ADET, with faulted_us).';
COMMENT ON COLUMN research.machine_hour.faulted_us IS 'Malfunction while in use (ADET, with delayed_us).';
COMMENT ON COLUMN research.machine_hour.idle_us IS 'Could be used, is not (ADOT).';
COMMENT ON COLUMN research.machine_hour.planned_stop_us IS 'Break, planned maintenance, engineering (PDOT).';
COMMENT ON COLUMN research.machine_hour.off_shift_us IS 'Not scheduled, outside POT.';
COMMENT ON COLUMN research.machine_hour.producing_automatic_us IS 'Of producing_us, in mode automatic.';
COMMENT ON COLUMN research.machine_hour.producing_semi_automatic_us IS 'Of producing_us, in mode semi_automatic.';
COMMENT ON COLUMN research.machine_hour.producing_manual_us IS 'Of producing_us, in mode manual; what is left is in a mode not known.';
COMMENT ON COLUMN research.machine_hour.evidence_us IS 'Time held by a received state other than unknown, before any calendar.';
COMMENT ON COLUMN research.machine_hour.good IS 'Good pieces counted in the hour.';
COMMENT ON COLUMN research.machine_hour.scrap IS 'Scrapped pieces counted in the hour.';
COMMENT ON COLUMN research.machine_hour.rework IS 'Pieces to be reworked counted in the hour.';
COMMENT ON COLUMN research.machine_hour.failures IS 'Times that the machine went from a known state other than faulted to faulted.';
COMMENT ON COLUMN research.machine_hour.counted IS 'Whether the machine''s Seoul day has a count row and evidence. Effectiveness and OEE add up such hours only.';
COMMENT ON COLUMN research.machine_hour.cycle_producing_us IS 'Of producing_us, while an ideal cycle is in force: denominator of effectiveness.';
COMMENT ON COLUMN research.machine_hour.cycle_busy_us IS 'Planned busy time (producing, setup, delayed, faulted, idle) while an ideal cycle is in force: denominator of OEE.';
COMMENT ON COLUMN research.machine_hour.ideal_pq_us IS 'Ideal cycle in force at each count, times all pieces counted: numerator of effectiveness.';
COMMENT ON COLUMN research.machine_hour.ideal_good_us IS 'Ideal cycle in force at each count, times good pieces: numerator of OEE.';
COMMENT ON COLUMN research.machine_hour.cycle_setup_us IS 'Of setup_us, while an ideal cycle is in force: for NEE.';
COMMENT ON COLUMN research.machine_hour.partial IS 'Whether the hour is not over yet for the accounts: its figures will grow.';

CREATE VIEW research.factory_day WITH (security_barrier) AS
SELECT f.factory_id, s.day, c.region, c.sector, c.zone, c.sponsor, c.level, c.size,
       s.producing_us, s.setup_us, s.delayed_us, s.faulted_us, s.idle_us, s.planned_stop_us, s.off_shift_us,
       s.producing_automatic_us, s.producing_semi_automatic_us, s.producing_manual_us, s.evidence_us,
       s.good, s.scrap, s.rework, s.failures,
       s.counted_busy_us, s.counted_pieces, s.counted_cycle_producing_us, s.counted_cycle_setup_us,
       s.counted_cycle_busy_us, s.counted_ideal_pq_us, s.counted_ideal_good_us, s.count_days, s.counted_days,
       timezone('Asia/Seoul', (s.day + 1)::timestamp) > (SELECT accounted_until FROM analytics_state) AS partial
FROM factory_day s
JOIN factory f ON f.id = s.factory
LEFT JOIN cohort c ON c.id = s.cohort;

COMMENT ON VIEW research.factory_day IS 'Time accounts added up, one row per (factory_id, day) with at least a held state or a count row on one machine; more, with each its part, where the factory''s cohort (region to size) changed within the day. Unknown time is not in it, as in machine_hour. Durations are microseconds.';
COMMENT ON COLUMN research.factory_day.factory_id IS 'The factory.';
COMMENT ON COLUMN research.factory_day.day IS 'Day in Seoul.';
COMMENT ON COLUMN research.factory_day.region IS 'The factory''s region at the time counted; null, as the next five: nothing was registered then.';
COMMENT ON COLUMN research.factory_day.sector IS 'The factory''s sector at the time counted.';
COMMENT ON COLUMN research.factory_day.zone IS 'The factory''s zone at the time counted; null: in none.';
COMMENT ON COLUMN research.factory_day.sponsor IS 'The factory''s sponsor at the time counted; null: none.';
COMMENT ON COLUMN research.factory_day.level IS 'The factory''s smart-factory level at the time counted.';
COMMENT ON COLUMN research.factory_day.size IS 'The enterprise''s size at the time counted; null: not known.';
COMMENT ON COLUMN research.factory_day.producing_us IS 'Making, value-adding (APT), all machines together.';
COMMENT ON COLUMN research.factory_day.setup_us IS 'Preparing for an order (AUST).';
COMMENT ON COLUMN research.factory_day.delayed_us IS 'An order runs but the machine waits (ADET, with faulted_us).';
COMMENT ON COLUMN research.factory_day.faulted_us IS 'Malfunction while in use (ADET, with delayed_us).';
COMMENT ON COLUMN research.factory_day.idle_us IS 'Could be used, is not (ADOT).';
COMMENT ON COLUMN research.factory_day.planned_stop_us IS 'Break, planned maintenance, engineering (PDOT).';
COMMENT ON COLUMN research.factory_day.off_shift_us IS 'Not scheduled, outside POT.';
COMMENT ON COLUMN research.factory_day.producing_automatic_us IS 'Of producing_us, in mode automatic.';
COMMENT ON COLUMN research.factory_day.producing_semi_automatic_us IS 'Of producing_us, in mode semi_automatic.';
COMMENT ON COLUMN research.factory_day.producing_manual_us IS 'Of producing_us, in mode manual; what is left is in a mode not known.';
COMMENT ON COLUMN research.factory_day.evidence_us IS 'Time held by a received state other than unknown, before any calendar.';
COMMENT ON COLUMN research.factory_day.good IS 'Good pieces counted on the day.';
COMMENT ON COLUMN research.factory_day.scrap IS 'Scrapped pieces counted on the day.';
COMMENT ON COLUMN research.factory_day.rework IS 'Pieces to be reworked counted on the day.';
COMMENT ON COLUMN research.factory_day.failures IS 'Times that a machine went from a known state other than faulted to faulted.';
COMMENT ON COLUMN research.factory_day.counted_cycle_producing_us IS 'Producing time of counted machines while an ideal cycle is in force: denominator of effectiveness.';
COMMENT ON COLUMN research.factory_day.counted_cycle_busy_us IS 'Planned busy time of counted machines while an ideal cycle is in force: denominator of OEE.';
COMMENT ON COLUMN research.factory_day.counted_ideal_pq_us IS 'Ideal cycle times all pieces of counted machines: numerator of effectiveness.';
COMMENT ON COLUMN research.factory_day.counted_ideal_good_us IS 'Ideal cycle times good pieces of counted machines: numerator of OEE.';
COMMENT ON COLUMN research.factory_day.count_days IS 'Machines with at least one count row on the day; with two rows a day, in the row of the machine''s last cohort.';
COMMENT ON COLUMN research.factory_day.counted_days IS 'Machines with at least one count row and evidence on the day; with two rows a day, as count_days.';
COMMENT ON COLUMN research.factory_day.counted_cycle_setup_us IS 'Set-up time of counted machines while an ideal cycle is in force: for NEE.';
COMMENT ON COLUMN research.factory_day.counted_busy_us IS 'Planned busy time of counted machines: denominator of throughput.';
COMMENT ON COLUMN research.factory_day.counted_pieces IS 'All pieces of counted machines: numerator of throughput.';
COMMENT ON COLUMN research.factory_day.partial IS 'Whether the day is not over yet for the accounts: its figures will grow.';

-- Nobody works as researcher where a password is asked for, since it has none: persons are members, with a login of their own.
-- Roles belong to the whole database server, so it may already be there. Its settings are defaults; what it may do is below.
DO $$
BEGIN
    CREATE ROLE researcher LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
ALTER ROLE researcher SET default_transaction_read_only = on;
ALTER ROLE researcher SET statement_timeout = '10min';
ALTER ROLE researcher SET idle_in_transaction_session_timeout = '10min';
ALTER ROLE researcher SET search_path = research, public;

GRANT USAGE ON SCHEMA research TO researcher;
GRANT SELECT ON ALL TABLES IN SCHEMA research TO researcher;

-- What PostgreSQL and TimescaleDB let everybody do, and a reader must not: fill the disk with temporary tables, large objects or
-- jobs, and hold the locks that analytics and migrations wait for.
DO $$
DECLARE
    own regprocedure;
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    FOR own IN
        SELECT oid FROM pg_proc
        WHERE proname ~ '^pg_(try_)?advisory_' OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'add_job')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO CURRENT_USER', own);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(integer, integer) TO jejo_analytics;
