"""The rules for a fact that is sent more than once."""

from services.ingest.writing.versions import NOTHING_KNOWN, FactVersion, Known, Outcome, merge


def version(revision: int, content: object, record_id: int = 1, *, retracted: bool = False) -> FactVersion:
    return FactVersion(revision, retracted, (content,), record_id)


def test_a_new_row_is_in_force() -> None:
    row = version(0, "idle")
    change = merge(NOTHING_KNOWN, [row])
    assert change.outcomes == (Outcome.STORED,)
    assert change.current is row
    assert not change.superseded
    assert not change.clashes


def test_the_same_row_again_changes_nothing() -> None:
    known = Known(version(0, "idle"), (), ())
    change = merge(known, [version(0, "idle", 2), version(0, "idle", 3)])
    assert change.outcomes == (Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert change.current is None


def test_a_higher_revision_takes_over_and_the_old_version_is_kept() -> None:
    old, new = version(0, "idle"), version(1, "setup", 2)
    change = merge(Known(old, (), ()), [new])
    assert change.outcomes == (Outcome.STORED,)
    assert change.current is new
    assert change.superseded == (old,)


def test_a_lower_revision_that_arrives_late_is_kept_but_not_in_force() -> None:
    late = version(0, "idle", 2)
    change = merge(Known(version(1, "setup"), (), ()), [late])
    assert change.outcomes == (Outcome.STORED,)
    assert change.current is None
    assert change.superseded == (late,)


def test_a_different_row_at_the_same_revision_is_a_clash_counted_once() -> None:
    current = version(0, "idle")
    differing = version(0, "setup", 2)
    change = merge(Known(current, (), ()), [differing, version(0, "setup", 3)])
    assert change.outcomes == (Outcome.CLASHED, Outcome.DUPLICATE)
    assert change.current is None
    assert change.clashes == (differing,)
    again = merge(Known(current, (), (differing,)), [version(0, "setup", 4)])
    assert again.outcomes == (Outcome.DUPLICATE,)


def test_a_retraction_is_a_version_like_any_other() -> None:
    retraction = version(1, None, 2, retracted=True)
    change = merge(Known(version(0, "idle"), (), ()), [retraction])
    assert change.current is retraction
    back = merge(Known(retraction, (version(0, "idle"),), ()), [version(2, "idle", 3)])
    assert back.current is not None
    assert not back.current.retracted


def test_all_versions_in_one_batch_are_merged_in_order() -> None:
    rows = [version(1, "b"), version(0, "a"), version(2, "c"), version(2, "d"), version(0, "a")]
    change = merge(NOTHING_KNOWN, rows)
    assert change.outcomes == (Outcome.STORED, Outcome.STORED, Outcome.STORED, Outcome.CLASHED, Outcome.DUPLICATE)
    assert change.current == version(2, "c")
    assert set(change.superseded) == {version(1, "b"), version(0, "a")}
    assert change.clashes == (version(2, "d"),)
