-- What logins may do that a superuser did before, and whoever asked: routines of ours are closed to PUBLIC.

GRANT EXECUTE ON FUNCTION size_of(integer) TO jejo_api, jejo_verify;
GRANT EXECUTE ON FUNCTION machine_spans_of(integer[]) TO jejo_api, jejo_verify;
GRANT EXECUTE ON FUNCTION refresh_machine_spans(integer[]) TO jejo_api;

-- `jejo keys` makes keys and one-time tokens, and neither reads nor changes those that there are.
GRANT INSERT ON api_key, login_token TO jejo_keys;
