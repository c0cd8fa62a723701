-- Spans are recomputed in a time that depends on the machines asked for, and not on how many the country has.
--
-- What the functions return and store is unchanged. Before, more than a hundred machines were looked up by reading the
-- registry as a whole, 0.25 s for 600,000 machines: three thousand calls for two hundred machines each took a quarter
-- of an hour. Now every table is read through the index of its key, with all keys in one array, and only what was read
-- is hashed. This holds without statistics, too, as in a transaction that registers a country.

CREATE OR REPLACE FUNCTION machine_spans_of(machines integer[]) RETURNS TABLE (
    machine integer, from_at timestamptz, to_at timestamptz, factory integer, automated boolean,
    region text, sector text, zone text, sponsor text, level text, size text)
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
), stretch AS (
    SELECT cut.factory, cut.at AS from_at, lead(cut.at) OVER (PARTITION BY cut.factory ORDER BY cut.at) AS to_at FROM cut
), belonging AS MATERIALIZED (
    SELECT s.factory, s.from_at, s.to_at, p.region, p.sector, p.zone, p.sponsor, p.level, o.size
    FROM stretch s
    LEFT JOIN place p ON p.factory = s.factory AND p.effective_from <= s.from_at AND s.from_at < p.effective_to
    LEFT JOIN owner o ON o.enterprise = p.enterprise AND o.effective_from <= s.from_at AND s.from_at < o.effective_to
    WHERE s.to_at IS NOT NULL
), claim AS MATERIALIZED (
    SELECT v.machine, chosen.factory, v.automation IN ('automatic', 'robot') AS automated,
           GREATEST(v.effective_from, timezone('Asia/Seoul', v.in_use_from::timestamp)) AS from_at,
           LEAST(v.effective_to, timezone('Asia/Seoul', v.in_use_to::timestamp)) AS to_at
    FROM machine_version v JOIN chosen ON chosen.id = v.machine
    WHERE v.retired_at IS NULL AND v.machine = ANY (machines)
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
        INSERT INTO machine_span (machine, from_at, to_at, factory, cohort, automated, first_day, end_day)
        SELECT s.machine, p.from_at, s.to_at, s.factory, k.id, s.automated,
               timezone('Asia/Seoul', p.from_at)::date,
               LEAST(timezone('Asia/Seoul', s.to_at - interval '1 microsecond')::date + 1, '9999-12-31',
                     timezone('Asia/Seoul', lead(p.from_at) OVER (PARTITION BY s.machine ORDER BY p.from_at))::date)
        FROM span s
        CROSS JOIN LATERAL (VALUES (GREATEST(s.from_at, $2))) AS p(from_at)
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
    WHERE s.machine = ANY (machines) AND s.machine = own.machine AND s.from_at = own.from_at;
END
$$;
