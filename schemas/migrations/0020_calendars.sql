-- Factory calendars, effective-dated as everything in the registry, and Korea's public holidays, which calendars may take.
--
-- Factories share calendars: each distinct content is stored once, and versions have its number.

CREATE TABLE calendar (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content         jsonb NOT NULL
);
-- A long list of exceptions does not fit in an index row. The text is plain ASCII without backslashes.
CREATE UNIQUE INDEX calendar_content ON calendar (sha256(content::text::bytea));
COMMENT ON TABLE calendar IS 'Each distinct calendar, once; rows are only ever added.';
COMMENT ON COLUMN calendar.content IS 'Shifts in canonical form: {"weekly": {"0": [[480, 1200]]}, "holidays": true, "exceptions": {"2026-12-26": []}}. Weekday 0 is Monday. A shift is [from, to] in minutes since Seoul midnight of the day on which it begins, to above 1440 if it ends on the day after; shifts of a day are in order and do not overlap. With holidays, a public holiday has no shifts; an exception replaces the shifts of its day.';

CREATE TABLE calendar_version (
    factory         integer NOT NULL REFERENCES factory,
    effective_from  timestamptz NOT NULL,
    effective_to    timestamptz NOT NULL CHECK (effective_from < effective_to),
    calendar        integer REFERENCES calendar,
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz,
    CHECK (effective_from = date_trunc('day', effective_from, 'Asia/Seoul'))
);
CREATE UNIQUE INDEX calendar_version_current ON calendar_version (factory, effective_from) WHERE retired_at IS NULL;
COMMENT ON TABLE calendar_version IS 'The calendars of factories; versions begin at midnight in Seoul.';
COMMENT ON COLUMN calendar_version.calendar IS 'Null: no calendar, and all time in use is scheduled.';

CREATE TABLE holiday (
    day             date NOT NULL,
    name_ko         text NOT NULL,
    name_en         text NOT NULL,
    changed_in      bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    retired_at      timestamptz
);
CREATE UNIQUE INDEX holiday_current ON holiday (day) WHERE retired_at IS NULL;
COMMENT ON TABLE holiday IS 'Korea''s public holidays, with substitute and one-off ones. Only `jejo holidays update` writes it; a day that is changed or removed is retired.';

GRANT SELECT ON calendar, calendar_version, holiday TO jejo_analytics, jejo_api, jejo_verify;
GRANT INSERT ON calendar TO jejo_api;
GRANT INSERT, UPDATE ON calendar_version TO jejo_api;
GRANT INSERT, UPDATE (retired_at) ON holiday TO jejo_api;
