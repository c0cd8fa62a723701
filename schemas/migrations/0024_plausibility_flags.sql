-- Plausibility flags: what looks made up or wrong in what factories sent, by the rules of schemas/plausibility_rules.json.
--
-- What the rules look at is kept by machine and Seoul day, so that a day is read from facts only when it ends or is corrected.

CREATE INDEX IF NOT EXISTS ingest_record_factory ON ingest_record (factory, received_at);

CREATE TABLE flag_state (
    singleton       boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    ended_before    date NOT NULL
);
COMMENT ON TABLE flag_state IS 'One row: days before ended_before have been marked since they are over. Whoever judges days locks it.';

CREATE TABLE flag_mark (
    factory     integer NOT NULL,
    day         date NOT NULL
);
CREATE INDEX flag_mark_day ON flag_mark (day, factory);
COMMENT ON TABLE flag_mark IS 'Days of factories to be judged: they are over, or were accounted again since. An insert-only queue without unique keys.';

CREATE TABLE flag_day_pack (
    factory         integer NOT NULL,
    day             date NOT NULL,
    machine         integer[] NOT NULL,
    changes         integer[] NOT NULL,
    scheduled_us    bigint[] NOT NULL,
    scheduled_evidence_us bigint[] NOT NULL,
    evidence_us     bigint[] NOT NULL,
    producing_us    bigint[] NOT NULL,
    state_rows      integer[] NOT NULL,
    count_rows      integer[] NOT NULL,
    pieces          bigint[] NOT NULL,
    barren          smallint[] NOT NULL,
    even_pieces     bigint[] NOT NULL,
    even_us         bigint[] NOT NULL,
    ideal_us        bigint[] NOT NULL,
    capacity        bigint[] NOT NULL,
    rows            integer[] NOT NULL,
    late_rows       integer[] NOT NULL,
    hour_1          integer[] NOT NULL,
    hour_2          integer[] NOT NULL,
    hour_3          integer[] NOT NULL,
    hour_4          integer[] NOT NULL,
    PRIMARY KEY (factory, day)
);
COMMENT ON TABLE flag_day_pack IS 'What plausibility rules look at of a factory''s machines on a day: element n of every array is one machine. services/analytics/flags/traits.py says what each is.';

CREATE TABLE flag_print (
    machine     integer NOT NULL,
    day         date NOT NULL,
    print       uuid NOT NULL,
    changes     integer NOT NULL,
    PRIMARY KEY (machine, day)
);
CREATE INDEX flag_print_same ON flag_print (print, day) INCLUDE (machine);
COMMENT ON TABLE flag_print IS 'Fingerprints of the days of machines with at least 50 changes: days whose changes are equal have the same.';
COMMENT ON COLUMN flag_print.print IS '128 bits of BLAKE2 over instants within the day, states, modes and pieces.';

CREATE TABLE flag_receipt (
    factory     integer NOT NULL,
    day         date NOT NULL,
    records     integer NOT NULL,
    delay_us    bigint NOT NULL,
    offset_us   bigint NOT NULL,
    PRIMARY KEY (factory, day)
);
COMMENT ON TABLE flag_receipt IS 'Medians over the records that a factory sent and that were received on a Seoul day less than 24 h after their newest row.';
COMMENT ON COLUMN flag_receipt.delay_us IS 'Receipt less sent.';
COMMENT ON COLUMN flag_receipt.offset_us IS 'Sent less the newest row''s instant.';

CREATE TABLE flag (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule            text NOT NULL,
    rule_version    integer NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('sham', 'suspect')),
    factory         integer NOT NULL,
    machine         integer,
    month           date CHECK (extract(day FROM month) = 1),
    days            date[] NOT NULL,
    evidence        jsonb NOT NULL,
    usual           jsonb NOT NULL,
    opened_at       timestamptz NOT NULL,
    judged_at       timestamptz NOT NULL,
    closed_at       timestamptz,
    closed_by       text,
    closed_why      text,
    UNIQUE NULLS NOT DISTINCT (factory, rule, machine, month),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (closed_why IS NULL))
);
CREATE INDEX flag_rule ON flag (rule, id);
COMMENT ON TABLE flag IS 'What looks made up or wrong, by rule, factory, machine and month: the id stays while the subject is the same. Analytics judges, the API closes by an inspector''s word.';
COMMENT ON COLUMN flag.machine IS 'Null: all of the factory.';
COMMENT ON COLUMN flag.month IS 'Its first day; null where days of several months belong together.';
COMMENT ON COLUMN flag.evidence IS 'What the flag stands on; a flag that an inspector closed stays closed as long as it is the same.';
COMMENT ON COLUMN flag.usual IS 'What it is to be seen beside: the thresholds, and the median of the factory''s other values.';
COMMENT ON COLUMN flag.judged_at IS 'When days or evidence last changed.';
COMMENT ON COLUMN flag.closed_by IS 'data: corrected data no longer show it; else the role of who closed it.';

-- What has been accounted so far is to be judged.
INSERT INTO flag_mark (factory, day) SELECT factory, day FROM machine_day_pack;

GRANT SELECT, INSERT, UPDATE ON flag_state TO jejo_analytics;
GRANT SELECT, INSERT, DELETE ON flag_mark, flag_day_pack, flag_print, flag_receipt TO jejo_analytics;
GRANT SELECT, INSERT, UPDATE ON flag TO jejo_analytics;
GRANT EXECUTE ON FUNCTION scheduled_us, shifts_between TO jejo_analytics;
GRANT SELECT (sent_at, newest_at, factory) ON ingest_record TO jejo_analytics;
GRANT SELECT, UPDATE (closed_at, closed_by, closed_why) ON flag TO jejo_api;
GRANT SELECT ON flag, flag_state, flag_mark, flag_day_pack, flag_print, flag_receipt TO jejo_verify;

CREATE VIEW research.flag WITH (security_barrier) AS
SELECT g.id, g.rule, g.rule_version, g.kind, f.factory_id, m.machine_id, g.days, g.evidence, g.usual, g.closed_at IS NULL AS open,
       g.opened_at, g.judged_at, g.closed_at, g.closed_by, g.closed_why
FROM flag g
JOIN factory f ON f.id = g.factory
LEFT JOIN machine m ON m.id = g.machine;
COMMENT ON VIEW research.flag IS 'Plausibility flags: what looks made up or wrong in what factories sent. One row per rule, machine and month.';
COMMENT ON COLUMN research.flag.id IS 'Stays the same however often the days are judged.';
COMMENT ON COLUMN research.flag.rule IS 'Which rule, as replayed_day.';
COMMENT ON COLUMN research.flag.rule_version IS 'Version of the rules by which it was last judged.';
COMMENT ON COLUMN research.flag.kind IS 'sham: made up; suspect: may be wrong.';
COMMENT ON COLUMN research.flag.factory_id IS 'The factory.';
COMMENT ON COLUMN research.flag.machine_id IS 'The machine; null: all of the factory.';
COMMENT ON COLUMN research.flag.days IS 'The Seoul days that it is about.';
COMMENT ON COLUMN research.flag.evidence IS 'The values behind it.';
COMMENT ON COLUMN research.flag.usual IS 'The rule''s thresholds, and what is usual in the factory.';
COMMENT ON COLUMN research.flag.open IS 'Whether it is open.';
COMMENT ON COLUMN research.flag.opened_at IS 'When it was raised; of one that was closed and came back, when it came back.';
COMMENT ON COLUMN research.flag.judged_at IS 'When its days or evidence last changed.';
COMMENT ON COLUMN research.flag.closed_at IS 'When it was closed.';
COMMENT ON COLUMN research.flag.closed_by IS 'data: corrected data no longer show it; else the role of who closed it.';
COMMENT ON COLUMN research.flag.closed_why IS 'The reason that was given.';
GRANT SELECT ON research.flag TO researcher;
