"""The closed vocabularies of the wire: states, modes and reason codes. Member names are the wire's words."""

from enum import IntEnum, StrEnum


class State(IntEnum):
    """What a machine does; the value is the code in the database. docs/glossary.md maps it to ISO 22400-2."""

    unknown = 0
    producing = 1
    setup = 2
    delayed = 3
    faulted = 4
    idle = 5
    planned_stop = 6
    off_shift = 7


class Mode(IntEnum):
    """How a machine is controlled; the value is the code in the database, and ``unknown`` is null on the wire."""

    unknown = 0
    automatic = 1
    semi_automatic = 2
    manual = 3


class Reason(StrEnum):
    """Why a record, one of its rows, or a whole batch of records cannot be a fact."""

    unreadable_batch = "unreadable_batch"
    too_large = "too_large"
    bad_json = "bad_json"
    bad_schema = "bad_schema"
    key_mismatch = "key_mismatch"
    unknown_factory = "unknown_factory"
    bad_signature = "bad_signature"
    unknown_machine = "unknown_machine"
    not_in_use = "not_in_use"
    implausible_time = "implausible_time"
    beyond_horizon = "beyond_horizon"
    over_quota = "over_quota"
