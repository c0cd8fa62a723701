-- Research views of accounts in the rows of the accounts themselves: one a cohort. Sums by cohort are then those of the API to
-- the microsecond, and no sum stands between a question and an index. (As sums over each machine and hour, the hours of one
-- machine were found only by adding up those of all.)

CREATE OR REPLACE VIEW research.machine_hour WITH (security_barrier) AS
SELECT f.factory_id, m.machine_id, h.hour, c.region, c.sector, c.zone, c.sponsor, c.level, c.size,
       h.producing_us, h.setup_us, h.delayed_us, h.faulted_us, h.idle_us, h.planned_stop_us, h.off_shift_us,
       h.producing_automatic_us, h.producing_semi_automatic_us, h.producing_manual_us, h.evidence_us,
       h.good, h.scrap, h.rework, h.failures::bigint AS failures, COALESCE(d.counted, false) AS counted,
       h.cycle_producing_us, h.cycle_busy_us, h.ideal_pq_us, h.ideal_good_us,
       h.hour + INTERVAL '1 hour' > (SELECT accounted_until FROM analytics_state) AS partial,
       h.cycle_setup_us
FROM machine_hour h
JOIN machine m ON m.id = h.machine
JOIN factory f ON f.id = m.factory
LEFT JOIN cohort c ON c.id = h.cohort
LEFT JOIN machine_day d ON d.machine = h.machine AND d.day = timezone('Asia/Seoul', h.hour)::date;

COMMENT ON VIEW research.machine_hour IS 'Time accounts, one row per (factory_id, machine_id, hour) with at least a held state or a count row; two, with each its part, where the factory''s cohort (region to size) changed within the hour. What of the machine''s time in use is in none of the seven states is unknown, and so is every hour without a row. Durations are microseconds.';
COMMENT ON COLUMN research.machine_hour.region IS 'The factory''s region at the time counted; null, as the next five: nothing was registered then.';
COMMENT ON COLUMN research.machine_hour.sector IS 'The factory''s sector at the time counted.';
COMMENT ON COLUMN research.machine_hour.zone IS 'The factory''s zone at the time counted; null: in none.';
COMMENT ON COLUMN research.machine_hour.sponsor IS 'The factory''s sponsor at the time counted; null: none.';
COMMENT ON COLUMN research.machine_hour.level IS 'The factory''s smart-factory level at the time counted.';
COMMENT ON COLUMN research.machine_hour.size IS 'The enterprise''s size at the time counted; null: not known.';
COMMENT ON COLUMN research.machine_hour.cycle_setup_us IS 'Of setup_us, while an ideal cycle is in force: for NEE.';

CREATE OR REPLACE VIEW research.factory_day WITH (security_barrier) AS
SELECT f.factory_id, s.day, c.region, c.sector, c.zone, c.sponsor, c.level, c.size,
       s.producing_us, s.setup_us, s.delayed_us, s.faulted_us, s.idle_us, s.planned_stop_us, s.off_shift_us,
       s.producing_automatic_us, s.producing_semi_automatic_us, s.producing_manual_us, s.evidence_us,
       s.good, s.scrap, s.rework, s.failures,
       s.counted_cycle_producing_us, s.counted_cycle_busy_us, s.counted_ideal_pq_us, s.counted_ideal_good_us,
       s.count_days::bigint AS count_days, s.counted_days::bigint AS counted_days,
       timezone('Asia/Seoul', (s.day + 1)::timestamp) > (SELECT accounted_until FROM analytics_state) AS partial,
       s.counted_cycle_setup_us, s.counted_busy_us, s.counted_pieces
FROM factory_day s
JOIN factory f ON f.id = s.factory
LEFT JOIN cohort c ON c.id = s.cohort;

COMMENT ON VIEW research.factory_day IS 'Time accounts added up, one row per (factory_id, day) with at least a held state or a count row on one machine; more, with each its part, where the factory''s cohort (region to size) changed within the day. Unknown time is not in it, as in machine_hour. Durations are microseconds.';
COMMENT ON COLUMN research.factory_day.region IS 'The factory''s region at the time counted; null, as the next five: nothing was registered then.';
COMMENT ON COLUMN research.factory_day.sector IS 'The factory''s sector at the time counted.';
COMMENT ON COLUMN research.factory_day.zone IS 'The factory''s zone at the time counted; null: in none.';
COMMENT ON COLUMN research.factory_day.sponsor IS 'The factory''s sponsor at the time counted; null: none.';
COMMENT ON COLUMN research.factory_day.level IS 'The factory''s smart-factory level at the time counted.';
COMMENT ON COLUMN research.factory_day.size IS 'The enterprise''s size at the time counted; null: not known.';
COMMENT ON COLUMN research.factory_day.count_days IS 'Machines with at least one count row on the day; with two rows a day, in the row of the machine''s last cohort.';
COMMENT ON COLUMN research.factory_day.counted_days IS 'Machines with at least one count row and evidence on the day; with two rows a day, as count_days.';
COMMENT ON COLUMN research.factory_day.counted_cycle_setup_us IS 'Set-up time of counted machines while an ideal cycle is in force: for NEE.';
COMMENT ON COLUMN research.factory_day.counted_busy_us IS 'Planned busy time of counted machines: denominator of throughput.';
COMMENT ON COLUMN research.factory_day.counted_pieces IS 'All pieces of counted machines: numerator of throughput.';
