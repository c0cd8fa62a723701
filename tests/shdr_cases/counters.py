"""Part counters."""

from tests.device_models import data_item, sample
from tests.shdr_cases.case import Case, counts
from tests.shdr_cases.devices import PARTS, one_path


def counter(id: str, name: str, **attributes: str) -> str:
    return data_item(id, "PART_COUNT", name=name, **attributes)


COUNTERS: tuple[Case, ...] = (
    counts(
        "counter_rises",
        "40 41 41 44.000000 45.0",
        (1, 3, 1),
    ),
    counts(
        "counter_falls_is_reset",
        "40 41 2 3 0 1",
        (1, 2, 1, 0, 1),
        why="After 41 and 2, 3 is not 0 to 10 above 41, so 2 is no dip.",
    ),
    counts(
        "counter_reset_is_announced",
        "40 41 0:DAY 3",
        (1, 0, 3),
    ),
    counts(
        "counter_reset_is_announced_to_a_value_above_zero",
        "40 41 2:DAY 5",
        (1, 2, 3),
        why="2 were made since the reset.",
    ),
    counts("announced_reset_is_no_dip", "20 0:SHIFT 21", (0, 21), why="Without the trigger 0 would be a dip."),
    counts("announced_reset_that_does_not_fall", "5 5:DAY 6", (5, 1), why="5 were made since the reset."),
    counts(
        "reset_trigger_with_a_model",
        "7 8 0:SHIFT 2",
        (1, 0, 2),
        key="pcount",
        devices=one_path(
            data_item("p1_parts", "PART_COUNT", content="<ResetTrigger>SHIFT</ResetTrigger>", name="pcount")
        ),
    ),
    counts(
        "spike", "100 599999 102 103", (2, 1), problems=("2 part count that rises and falls back: PartCountAct=599999",)
    ),
    counts(
        "spike_whose_next_value_is_10_above",
        "100 500 110",
        (10,),
        problems=("2 part count that rises and falls back: PartCountAct=500",),
    ),
    counts(
        "spike_whose_next_value_is_as_before",
        "100 500 100 101",
        (1,),
        problems=("2 part count that rises and falls back: PartCountAct=500",),
    ),
    counts(
        "no_spike_if_the_next_value_is_11_above",
        "100 500 111",
        (400, 111),
        why="The rise counts, and the fall is a reset.",
    ),
    counts(
        "no_spike_if_the_rise_is_10",
        "100 110 105",
        (10, 105),
        why="Only a rise of more than 10 can be a spike, so the fall is a reset.",
    ),
    counts(
        "no_spike_if_it_stays_up",
        "100 500 501",
        (400, 1),
    ),
    counts("no_spike_at_the_end_of_the_log", "100 500", (400,), why="There is no next total."),
    counts(
        "two_spikes",
        "100 9999 101 9999 102",
        (1, 1),
        problems=(
            "2 part count that rises and falls back: PartCountAct=9999",
            "part count that rises and falls back: 2 in all",
        ),
    ),
    counts(
        "spike_repeated",
        "100 9999 9999 101",
        (1,),
        problems=("2 part count that rises and falls back: PartCountAct=9999",),
        why="Repetitions confirm nothing.",
    ),
    counts("dip_to_zero", "20 0 21", (1,), problems=("2 part count that falls and rises back: PartCountAct=0",)),
    counts(
        "dip_whose_next_value_is_as_before",
        "20 0 20 21",
        (1,),
        problems=("2 part count that falls and rises back: PartCountAct=0",),
    ),
    counts(
        "dip_whose_next_value_is_10_above",
        "20 3 30",
        (10,),
        problems=("2 part count that falls and rises back: PartCountAct=3",),
    ),
    counts(
        "no_dip_if_the_next_value_is_11_above",
        "20 3 31",
        (3, 28),
    ),
    counts(
        "no_dip_at_the_end_of_the_log",
        "20 3",
        (3,),
    ),
    counts(
        "dip_then_unavailable",
        "20 0 UNAVAILABLE 21",
        (),
        problems=("2 part count that falls and rises back: PartCountAct=0",),
        why="21 is a baseline, and returns from the dip.",
    ),
    counts(
        "rise_faster_than_the_ideal_cycle_allows",
        "10 18 12",
        (2,),
        problems=("2 more parts than the ideal cycle allows: PartCountAct=18",),
        why="A minute allows 3 pieces of 60 s; 18 is skipped, and 12 compared with 10.",
        ideal_cycle_s=60,
    ),
    counts("rise_as_fast_as_the_ideal_cycle_allows", "10 13 14 17", (3, 1, 3), ideal_cycle_s=60),
    counts(
        "rise_after_a_long_time_within_the_ideal_cycle",
        "10 100",
        (90,),
        every_s=1800,
        why="1800 s allow 90 pieces.",
        ideal_cycle_s=60,
    ),
    counts(
        "rise_is_not_limited_without_an_ideal_cycle",
        "10 18 19",
        (8, 1),
    ),
    counts(
        "counter_unavailable_is_a_new_baseline",
        "5 6 UNAVAILABLE 9 10",
        (1, 1),
        why="What was made while it could not be seen is not known.",
    ),
    counts(
        "values_that_are_no_count",
        "5 ten -1 6.5 1_0 ６  99999999999 6",
        (1,),
        problems=(
            "2:35 invalid value: PartCountAct=ten",
            "3:35 invalid value: PartCountAct=-1",
            "4:35 invalid value: PartCountAct=6.5",
            "5:35 invalid value: PartCountAct=1_0",
            "6:35 invalid value: PartCountAct=６",
            "invalid value: 7 in all",
        ),
        why="Python's int() reads 1_0 and full-width digits.",
    ),
    counts(
        "count_with_a_plus_or_zeros",
        "007 008 0009",
        (1, 1),
    ),
    Case(
        "good_and_bad_and_all",
        (
            "08:00:00|execution|ACTIVE|all|10|goodp|8|badp|2",
            "08:01:00|all|11|goodp|9",
            "08:02:00|all|12|badp|3",
            "08:03:00|all|14|goodp|11",
        ),
        devices=one_path(
            counter("a", "all", subType="ALL"),
            counter("b", "goodp", subType="GOOD"),
            counter("c", "badp", subType="BAD"),
        ),
        good=(1, 0, 2),
        scrap=(0, 1, 0),
        why="ALL contains the others.",
    ),
    Case(
        "all_and_bad",
        ("08:00:00|execution|ACTIVE|all|10|badp|2", "08:01:00|all|11", "08:02:00|all|12|badp|3", "08:03:00|all|13"),
        devices=one_path(counter("a", "all", subType="ALL"), counter("c", "badp", subType="BAD")),
        good=(1, 0, 1),
        scrap=(0, 1, 0),
        why="Good is ALL less BAD.",
    ),
    Case(
        "targets_and_remaining_are_no_pieces_made",
        (
            "08:00:00|execution|ACTIVE|target|100|left|100|pcount|0",
            "08:01:00|target|200|left|99|pcount|1",
            "08:02:00|left|98|pcount|2",
        ),
        devices=one_path(counter("t", "target", subType="TARGET"), counter("r", "left", subType="REMAINING"), PARTS),
        good=(1, 1),
        problems=("device model: Part counters that count no pieces made are not used: t (TARGET), r (REMAINING).",),
    ),
    Case(
        "discrete_counter_counts_each_report",
        ("08:00:00|execution|ACTIVE|each|1", "08:01:00|each|1", "08:02:00|each|1", "08:03:00|each|2"),
        devices=one_path(counter("t", "each", representation="DISCRETE")),
        good=(1, 1, 1, 2),
        why="Equal reports are pieces, too.",
    ),
    Case(
        "counts_in_a_data_set",
        (
            "08:00:00|execution|ACTIVE|set|A=10 B=4",
            "08:01:00|set|A=11",
            "08:02:00|set|A=11 B=6",
            "08:03:00|set|:DAY A=0 B=0",
            "08:04:00|set|B=1",
        ),
        devices=one_path(counter("t", "set", representation="DATA_SET")),
        good=(),
        problems=("1:39 data set, table or position in space: set", "data set, table or position in space: 5 in all"),
        readings=(),
        why="Not counted, but reported.",
    ),
    Case(
        "counter_as_a_sample",
        ("08:00:00|execution|ACTIVE|pcount|10", "08:01:00|pcount|11", "08:02:00|pcount|12.0"),
        devices=one_path(sample("t", "PART_COUNT", "COUNT", name="pcount")),
        good=(1, 1),
        why="Wrong by the standard, and met in the field.",
    ),
)
