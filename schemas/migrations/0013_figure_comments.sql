-- One text for each figure (schemas/figures.json) on every table and view that carries it.
--
-- Tests compare the catalogue with the list, so a text that changes there needs another migration.

DO $$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT a.attrelid::regclass AS relation, a.attname AS name, figure.meaning
        FROM (VALUES
            ('producing_us', 'Making, value-adding (APT).'),
            ('setup_us', 'Preparing for an order (AUST).'),
            ('delayed_us', 'An order runs but the machine waits (ADET, with faulted_us).'),
            ('faulted_us', 'Malfunction while in use (ADET, with delayed_us).'),
            ('idle_us', 'Could be used, is not (ADOT).'),
            ('planned_stop_us', 'Break, planned maintenance, engineering (PDOT).'),
            ('off_shift_us', 'Not scheduled, outside POT.'),
            ('producing_automatic_us', 'Of producing_us, in mode automatic.'),
            ('producing_semi_automatic_us', 'Of producing_us, in mode semi_automatic.'),
            ('producing_manual_us', 'Of producing_us, in mode manual; what is left is in an unknown mode.'),
            ('evidence_us', 'Time held by a received state other than unknown, before any calendar.'),
            ('cycle_producing_us', 'Of producing_us, while an ideal cycle is in force.'),
            ('cycle_setup_us', 'Of setup_us, while an ideal cycle is in force.'),
            ('cycle_busy_us', 'Planned busy time (producing, setup, delayed, faulted, idle) while an ideal cycle is in force.'),
            ('good', 'Good pieces.'),
            ('scrap', 'Scrapped pieces.'),
            ('rework', 'Pieces to be reworked.'),
            ('ideal_pq_us', 'Ideal cycle in force at each count, times all pieces counted.'),
            ('ideal_good_us', 'Ideal cycle in force at each count, times good pieces.'),
            ('failures', 'Faulted rows whose state just before is known and not faulted.'),
            ('state_rows', 'State rows in force.'),
            ('count_rows', 'Count rows in force.'),
            ('signed_count_rows', 'Count rows that came in a signed record.'),
            ('counted_busy_us', 'Planned busy time (producing, setup, delayed, faulted, idle) on counted machine-days: denominator of throughput.'),
            ('counted_pieces', 'All pieces (good, scrap, rework) on counted machine-days: numerator of throughput.'),
            ('counted_cycle_producing_us', 'Producing time on counted machine-days while an ideal cycle is in force: denominator of effectiveness.'),
            ('counted_cycle_setup_us', 'Set-up time on counted machine-days while an ideal cycle is in force: for NEE.'),
            ('counted_cycle_busy_us', 'Planned busy time on counted machine-days while an ideal cycle is in force: denominator of OEE.'),
            ('counted_ideal_pq_us', 'Ideal cycle times all pieces on counted machine-days: numerator of effectiveness.'),
            ('counted_ideal_good_us', 'Ideal cycle times good pieces on counted machine-days: numerator of OEE.'),
            ('count_days', 'Machine-days in Seoul with at least one count row; a day in several cohorts is that of the last.'),
            ('counted_days', 'Machine-days in Seoul with at least one count row, and evidence; a day in several cohorts is that of the last.')
        ) AS figure(name, meaning)
        JOIN pg_attribute a ON a.attname = figure.name AND NOT a.attisdropped
        WHERE a.attrelid = ANY (
            '{public.machine_hour, public.factory_hour, public.factory_day, public.cohort_hour, public.cohort_day,
              research.machine_hour, research.factory_day}'::regclass[]
        )
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', place.relation, place.name, place.meaning);
    END LOOP;
END
$$;

-- Keys of the tables of sums, and texts of the research views that were hard to read.
COMMENT ON COLUMN machine_hour.cohort IS 'The cohort that the machine was in; an hour has one row for each.';
COMMENT ON TABLE factory_hour IS 'Sums over the hours of a factory''s machines, by cohort; counted_ columns add up counted machine-days only.';
COMMENT ON TABLE factory_day IS 'Sums of factory_hour over Seoul days, and how many machine-days have counts.';
COMMENT ON TABLE cohort_hour IS 'Sums of factory_hour over the factories of a cohort.';
COMMENT ON TABLE cohort_day IS 'Sums of factory_day over the factories of a cohort.';
COMMENT ON TABLE machine_hour IS 'Time accounts: what a machine did within an hour, by cohort. There is a row only where a row or held time was accounted.';
COMMENT ON COLUMN research.factory.factory_id IS 'The factory''s identifier, as in every other view. The company behind it is not disclosed.';
COMMENT ON COLUMN research.factory.size IS 'Employees of the enterprise: 1-9, 10-49, 50-299 or 300+; null: unknown.';
COMMENT ON COLUMN research.factory.established_on IS 'Day in Seoul on which it became a smart factory; null: it is not one, or the day is unknown.';
COMMENT ON COLUMN research.state_event.reason IS 'The reason, in the factory''s own words; null: not given.';
COMMENT ON COLUMN research.count_event.product IS 'The product, in the factory''s own words; empty: not given.';
COMMENT ON COLUMN research.machine_hour.size IS 'The enterprise''s size at the time counted; null: unknown.';
COMMENT ON COLUMN research.factory_day.size IS 'The enterprise''s size at the time counted; null: unknown.';
COMMENT ON FUNCTION refresh_machine_spans IS 'Recreate machine_span for some machines, from the horizon of facts on; the caller holds registry_version.';
