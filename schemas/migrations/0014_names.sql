-- Names in Unicode's normal form NFC, without white space around them, as the API takes them: so a search finds a name
-- however it was composed.
--
-- How a name is composed is not what is registered: rows are corrected where they are, retired ones too, and no version is
-- added. A name of white space alone stays, since nothing is known that should stand there.

DO $$
DECLARE
    white_space constant text := E'\t\n\x0b\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005'
        '\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
    versions    text;
BEGIN
    FOREACH versions IN ARRAY ARRAY[
        'enterprise_version', 'zone_version', 'sponsor_version', 'factory_version', 'machine_version'
    ] LOOP
        EXECUTE format(
            'UPDATE %I SET name = btrim(normalize(name, NFC), $1)
             WHERE btrim(normalize(name, NFC), $1) NOT IN (name, '''')',
            versions
        ) USING white_space;
    END LOOP;
END
$$;
