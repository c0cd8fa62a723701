"""The registry over HTTP: enterprises, factories, machines and gateway keys, with their versions in time.

A PUT's way: ``routes``, its body in ``models`` and ``fields``, as content in ``things``, through ``writes``, which asks
``versions`` what changes, to ``queries`` and ``tables``. An import joins it at ``writes``. Lists: ``routes``,
``list_models``, ``lists``.
"""
