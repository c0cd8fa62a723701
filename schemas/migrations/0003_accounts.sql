-- What analytics derives: time accounts and their sums. All of it can be thrown away and rebuilt from facts and registry.
--
-- Rows exist only where there is a row or a held state; time in use without either is unknown, and follows from the registry.
-- Durations are microseconds. The running hour is accounted up to analytics_state.accounted_until.

CREATE TABLE analytics_state (
    singleton       boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    accounted_until timestamptz NOT NULL
);

CREATE TABLE machine_hour (
    machine                     integer NOT NULL,
    hour                        timestamptz NOT NULL,
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
    cycle_busy_us               bigint NOT NULL,
    good                        bigint NOT NULL,
    scrap                       bigint NOT NULL,
    rework                      bigint NOT NULL,
    ideal_pq_us                 numeric NOT NULL,
    ideal_good_us               numeric NOT NULL,
    failures                    integer NOT NULL,
    state_rows                  integer NOT NULL,
    count_rows                  integer NOT NULL,
    PRIMARY KEY (machine, hour)
);
COMMENT ON COLUMN machine_hour.cycle_busy_us IS 'Planned busy time (producing, setup, delayed, faulted, idle) while an ideal cycle is in force.';
COMMENT ON COLUMN machine_hour.ideal_pq_us IS 'Ideal cycle in force at each count, times all pieces counted.';

CREATE TABLE machine_day (
    machine     integer NOT NULL,
    day         date NOT NULL,
    has_counts  boolean NOT NULL,
    counted     boolean NOT NULL,
    PRIMARY KEY (machine, day)
);
COMMENT ON TABLE machine_day IS 'Seoul days of machines: has_counts, at least one count row; counted, at least one count row and evidence.';

CREATE TABLE factory_hour (
    factory                     integer NOT NULL,
    hour                        timestamptz NOT NULL,
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
    counted_cycle_producing_us  bigint NOT NULL,
    counted_cycle_busy_us       bigint NOT NULL,
    counted_ideal_pq_us         numeric NOT NULL,
    counted_ideal_good_us       numeric NOT NULL,
    PRIMARY KEY (factory, hour)
);
COMMENT ON COLUMN factory_hour.counted_cycle_busy_us IS 'Sum of cycle_busy_us over the counted machine-days that this hour is part of.';

CREATE TABLE factory_day (
    LIKE factory_hour INCLUDING COMMENTS,
    count_days      integer NOT NULL,
    counted_days    integer NOT NULL
);
ALTER TABLE factory_day DROP COLUMN hour;
ALTER TABLE factory_day ADD COLUMN day date NOT NULL, ADD PRIMARY KEY (factory, day);
COMMENT ON COLUMN factory_day.count_days IS 'Machines with at least one count row on this Seoul day.';
