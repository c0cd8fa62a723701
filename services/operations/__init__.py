"""Operations: what looks at all services at once, from outside, and needs none of them to be running.

``jejo status``: ``probes`` asks Kafka and the database, ``findings`` has the rules, ``settings`` the limits, and
``report`` prints.
"""
