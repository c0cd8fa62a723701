"""The committed schema is what a migrated database has."""

from services.core.database import connect
from tests.schema_file import FILE, read_schema, stable


async def test_a_migrated_database_equals_the_committed_schema(database: str) -> None:
    # On failure: `make schema`, and look at what changed before committing it.
    assert await read_schema(database) == FILE.read_text(encoding="utf-8")


async def test_a_column_a_grant_or_a_comment_more_is_seen(database: str) -> None:
    committed = FILE.read_text(encoding="utf-8")
    owner = await connect(database)
    try:
        for statement in (
            "ALTER TABLE machine ADD COLUMN surplus integer",
            "GRANT SELECT ON reading TO jejo_api",
            "COMMENT ON TABLE reading IS 'another'",
        ):
            before = await read_schema(database)
            await owner.execute(statement)
            assert await read_schema(database) not in (before, committed)
    finally:
        await owner.close()


def test_versions_tokens_and_session_settings_are_left_out() -> None:
    dumped = """\
--
-- PostgreSQL database dump
--

\\restrict 0sZ5hE

-- Dumped from database version 17.6
-- Dumped by pg_dump version 17.6

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: f(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE plpgsql
    AS $$
-- A comment in a body stays.
BEGIN RETURN 1; END $$;


SET default_tablespace = '';

\\unrestrict 0sZ5hE
"""
    assert (
        stable(dumped)
        == """\
CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE plpgsql
    AS $$
-- A comment in a body stays.
BEGIN RETURN 1; END $$;
"""
    )
