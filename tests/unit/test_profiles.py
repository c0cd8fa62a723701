"""``make profile`` counts samples by function, whatever line of it they fell on."""

from tests.bench.profiles import read_stacks, table

STACKS = """\
<module> (services/__main__.py:7);run (asyncio/runners.py:190);work (services/ingest/writer.py:10) 3
<module> (services/__main__.py:7);work (services/ingest/writer.py:1);work (services/ingest/writer.py:2);loads (x.py:5) 1
<module> (services/__main__.py:7);<module> (<string>) 4
"""


def test_own_time_is_of_the_innermost_and_total_time_of_every_function_of_ours_once() -> None:
    sampled = read_stacks(STACKS)
    assert sampled.samples == 8
    assert sampled.own == {"work (services/ingest/writer.py)": 3, "loads (x.py)": 1, "<module> (<string>)": 4}
    assert sampled.total == {"<module> (services/__main__.py)": 8, "work (services/ingest/writer.py)": 4}


def test_a_table_shows_shares_with_the_largest_first() -> None:
    lines = list(table("ingest", read_stacks(STACKS)))
    assert lines[0] == "ingest: 8 samples"
    assert lines[1:3] == ["  own time", "   50.0%  <module> (<string>)"]
    assert lines[5:] == [
        "  total time",
        "  100.0%  <module> (services/__main__.py)",
        "   50.0%  work (services/ingest/writer.py)",
    ]
