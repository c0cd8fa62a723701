"""Decides which data items of a device Jejo derives states, programs and counts from. Pure.

A device model may declare several data items of one type: of its paths, of a bar feeder, of a controller that adds up
its paths. Those chosen here are of the machine itself. Whether counters count the same pieces is for ``part_counts``,
since that depends on which of them report anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.gateway.mtconnect.declarations import Category, Component, Declaration, listing
from services.gateway.mtconnect.model import Form, PartKind, Role

TYPES = {
    "EXECUTION": Role.EXECUTION,
    "AVAILABILITY": Role.AVAILABILITY,
    "EMERGENCY_STOP": Role.EMERGENCY_STOP,
    "FUNCTIONAL_MODE": Role.FUNCTIONAL_MODE,
    "CONTROLLER_MODE": Role.CONTROLLER_MODE,
    "PROGRAM": Role.PROGRAM,
    "PART_COUNT": Role.PART_COUNT,
}
PROGRAM_SUBTYPES = ("MAIN", "", "ACTIVE")
"""The subtypes that name what the machine is making, the best first."""

PART_KINDS = {"ALL": PartKind.ALL, "": PartKind.ALL, "GOOD": PartKind.GOOD, "BAD": PartKind.BAD}
COMPLETE = "COMPLETE"
"""Pieces finished, good or not: the only count of many machines, and a duplicate beside others."""

PERIPHERALS = {"Auxiliaries", "Interfaces", "Resources"}
ONLY_OF_THE_MACHINE = (Role.EXECUTION, Role.FUNCTIONAL_MODE, Role.CONTROLLER_MODE, Role.PROGRAM, Role.PART_COUNT)


@dataclass(frozen=True, slots=True)
class Use:
    """What a data item is used for, and what it counts if it is a part counter."""

    role: Role
    parts: PartKind | None = None


def assign_roles(declarations: Sequence[Declaration]) -> tuple[dict[str, Use], list[str]]:
    """Choose the data items of each role.

    Returns:
        By id, the use of each data item that has a role; and a remark for each reason why others have none.
    """
    remarks: list[str] = []
    candidates = {role: [item for item in declarations if _role(item) is role] for role in Role}
    parts = _part_kinds(candidates[Role.PART_COUNT], remarks)
    candidates[Role.PART_COUNT] = [item for item in candidates[Role.PART_COUNT] if item.id in parts]
    for role in ONLY_OF_THE_MACHINE:
        candidates[role] = _of_the_machine(role, candidates[role], remarks)
    candidates[Role.PROGRAM] = _best_programs(candidates[Role.PROGRAM])
    candidates[Role.AVAILABILITY] = _of_the_device(candidates[Role.AVAILABILITY])
    candidates[Role.PART_COUNT] = _one_of_each_kind(candidates[Role.PART_COUNT], parts, remarks)
    uses = {item.id: Use(role, parts.get(item.id)) for role, items in candidates.items() for item in items}
    return uses, remarks


def _role(item: Declaration) -> Role | None:
    """Return the role of a data item by itself, whatever else the device has."""
    role = TYPES.get(item.type)
    is_sample_count = role is Role.PART_COUNT and item.category is Category.SAMPLE
    if item.form is not Form.VALUE or not (item.category is Category.EVENT or is_sample_count):
        return None
    return None if role is Role.PROGRAM and item.sub_type not in PROGRAM_SUBTYPES else role


def _part_kinds(counters: Sequence[Declaration], remarks: list[str]) -> dict[str, PartKind]:
    """Return what each counter of pieces made counts, by id."""
    kinds = {item.id: PART_KINDS[item.sub_type] for item in counters if item.sub_type in PART_KINDS}
    counted = {item.component for item in counters if kinds.get(item.id) in (PartKind.ALL, PartKind.GOOD)}
    duplicates = []
    for item in counters:
        if item.sub_type == COMPLETE and item.component in counted:
            duplicates.append(item.id)
        elif item.sub_type == COMPLETE:
            kinds[item.id] = PartKind.ALL
    others = [f"{item.id} ({item.sub_type})" for item in counters if item.sub_type not in (*PART_KINDS, COMPLETE)]
    if others:
        remarks.append(f"Part counters that count no pieces made are not used: {listing(others)}.")
    if duplicates:
        remarks.append(f"Part counters of pieces that others count already are not used: {listing(duplicates)}.")
    return kinds


def _of_the_machine(role: Role, items: list[Declaration], remarks: list[str]) -> list[Declaration]:
    """Leave out the data items of peripherals, unless there are no others."""
    own = [item for item in items if not _is_peripheral(item.component)]
    left_out = [item.id for item in items if _is_peripheral(item.component)]
    if not own:
        return items
    if left_out:
        remarks.append(f"{role.name} of peripherals is not used, since the machine has its own: {listing(left_out)}.")
    return own


def _is_peripheral(component: Component) -> bool:
    return component.tag in PERIPHERALS or any(outer.tag in PERIPHERALS for outer in component.ancestors())


def _best_programs(items: Sequence[Declaration]) -> list[Declaration]:
    """Return one program of each component: that of the best subtype, and the first of several."""
    ranked = sorted(items, key=lambda item: PROGRAM_SUBTYPES.index(item.sub_type))
    return _in_order(items, _firsts(ranked, lambda item: item.component))


def _of_the_device(items: list[Declaration]) -> list[Declaration]:
    """Return the data items that are directly on the device; all if there are none."""
    return [item for item in items if item.component.parent is None] or items


def _one_of_each_kind(
    items: Sequence[Declaration], parts: dict[str, PartKind], remarks: list[str]
) -> list[Declaration]:
    """Return one counter of each kind for each component: one with an explicit subtype before one without."""
    ranked = sorted(items, key=lambda item: not item.sub_type)
    kept = _in_order(items, _firsts(ranked, lambda item: (item.component, parts[item.id])))
    if len(kept) < len(items):
        left_out = [item.id for item in items if item not in kept]
        remarks.append(f"Part counters beside another of the same kind are not used: {listing(left_out)}.")
    return kept


def _firsts(items: Iterable[Declaration], group: Callable[[Declaration], object]) -> list[Declaration]:
    """Return the first data item of each group."""
    firsts: dict[object, Declaration] = {}
    for item in items:
        firsts.setdefault(group(item), item)
    return list(firsts.values())


def _in_order(items: Sequence[Declaration], chosen: list[Declaration]) -> list[Declaration]:
    return [item for item in items if item in chosen]
