-- The API shows a machine's day from its facts: it reads states and counts, and of facts nothing else.
GRANT SELECT ON state_event, count_event TO jejo_api;
