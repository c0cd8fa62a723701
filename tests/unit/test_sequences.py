"""Gaps of a boot's sequence numbers, by the day that they belong to."""

import datetime as dt

from services.analytics.quality.sequences import Gaps, Run, gaps_by_day

MON, TUE, WED = (dt.date(2026, 11, day) for day in (23, 24, 25))


def test_numbers_that_follow_one_another_have_no_gap() -> None:
    assert gaps_by_day([]) == {}
    assert gaps_by_day([Run(MON, 7, 7)]) == {}
    assert gaps_by_day([Run(MON, 1, 4), Run(TUE, 5, 9), Run(WED, 10, 10)]) == {}


def test_a_gap_belongs_to_the_day_of_the_number_after_it() -> None:
    assert gaps_by_day([Run(MON, 1, 4), Run(MON, 6, 9)]) == {MON: Gaps(1, 1)}
    assert gaps_by_day([Run(MON, 1, 4), Run(TUE, 8, 9), Run(TUE, 11, 12)]) == {TUE: Gaps(2, 4)}


def test_the_order_of_receipt_does_not_matter() -> None:
    # What was sent last is received first, on the day before.
    assert gaps_by_day([Run(TUE, 1, 4), Run(MON, 6, 9)]) == {MON: Gaps(1, 1)}


def test_a_late_number_closes_its_gap_or_splits_it() -> None:
    lossy = [Run(MON, 1, 4), Run(MON, 8, 9)]
    assert gaps_by_day(lossy) == {MON: Gaps(1, 3)}
    assert gaps_by_day([*lossy, Run(WED, 5, 7)]) == {}
    assert gaps_by_day([*lossy, Run(WED, 5, 5)]) == {MON: Gaps(1, 2)}
    # 5 is missing before 6, which was received on Wednesday; 7 before 8, on Monday.
    assert gaps_by_day([*lossy, Run(WED, 6, 6)]) == {WED: Gaps(1, 1), MON: Gaps(1, 1)}


def test_doubled_numbers_change_nothing() -> None:
    assert gaps_by_day([Run(MON, 1, 4), Run(TUE, 3, 4), Run(TUE, 6, 9), Run(WED, 1, 2), Run(WED, 6, 6)]) == {
        TUE: Gaps(1, 1)
    }
    # The number after the gap was received on both days.
    assert gaps_by_day([Run(MON, 1, 4), Run(WED, 6, 9), Run(TUE, 6, 6)]) == {TUE: Gaps(1, 1)}
    assert gaps_by_day([Run(MON, 1, 9), Run(TUE, 3, 3), Run(TUE, 10, 10)]) == {}


def test_the_first_number_of_a_boot_may_be_any() -> None:
    assert gaps_by_day([Run(MON, 1_000_000, 1_000_001)]) == {}
    assert gaps_by_day([Run(MON, 0, 0), Run(MON, 2**63 - 1, 2**63 - 1)]) == {MON: Gaps(1, 2**63 - 2)}
