-- How a person comes to read with a browser: a one-time login token is traded for a session, whose secret is a cookie.
--
-- Of both secrets only hashes are kept; each is 32 random bytes. Rows stay as a record of who could read what, and when.

CREATE TABLE login_token (
    token_sha256    bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    role            text NOT NULL,
    name            text NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (created_at < expires_at),
    used_at         timestamptz
);
COMMENT ON TABLE login_token IS 'One-time tokens of login links, made by `jejo keys login-link`.';
COMMENT ON COLUMN login_token.name IS 'Who is to log in with it.';

CREATE TABLE session (
    session_sha256  bytea PRIMARY KEY CHECK (length(session_sha256) = 32),
    role            text NOT NULL,
    name            text NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (created_at < expires_at),
    ended_at        timestamptz
);
COMMENT ON TABLE session IS 'Browsers that may read: open from created_at until expires_at, or ended_at if that was sooner.';

-- The API marks a token used and a session ended, and changes nothing else of them; it makes sessions, never tokens.
GRANT SELECT, UPDATE (used_at) ON login_token TO jejo_api;
GRANT SELECT, INSERT, UPDATE (ended_at) ON session TO jejo_api;
