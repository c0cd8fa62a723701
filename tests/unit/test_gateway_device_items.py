"""The data items of device models: their keys, their roles, and what part counters count."""

import pytest

from services.gateway.mtconnect.model import DeviceModel, PartKind, Role
from tests.device_models import component, data_item, device, roles_of, sample, the


def test_incomplete_data_items_are_left_out() -> None:
    found = device(
        "<DataItem category='EVENT' type='LINE' name='nameless'/>",
        "<DataItem category='EVENT' type='LINE'/>",
        data_item("untyped", ""),
        data_item("odd", "LINE", "STATEMENT"),
        data_item("good", "LINE"),
        data_item("good", "BLOCK"),
    )
    assert [item.id for item in found.items] == ["good"]
    assert found.remarks == (
        (
            "Data items without id, type, or category SAMPLE, EVENT or CONDITION are left out: "
            "nameless, one without id and name, untyped, odd."
        ),
        "Data items whose id is that of an earlier one are left out: good.",
    )


def test_ids_precede_names_and_names_precede_sources() -> None:
    found = device(
        data_item("a", "LINE", name="b", content="<Source>\n  load\n</Source>"),
        data_item("b", "BLOCK", name="load", content="<Source>b</Source>"),
        data_item("c", "BLOCK", name="load", content="<Source>c</Source>"),
    )
    assert {item.id: item.keys for item in found.items} == {"a": ("a",), "b": ("b", "load"), "c": ("c",)}
    assert found.by_key["load"].id == "b"
    assert found.remarks == (
        "The name b of data item a means data item b, which has it already.",
        "The name load of data item c means data item b, which has it already.",
        "The source load of data item a means data item b, which has it already.",
    )


def test_components_without_id_are_told_apart() -> None:
    paths = "<Path><DataItems>{}</DataItems></Path><Path><DataItems>{}</DataItems></Path>"
    found = device(paths.format(data_item("e1", "EXECUTION"), data_item("e2", "EXECUTION")))
    assert [item.scope for item in found.of_role(Role.EXECUTION)] == [("d", "Path"), ("d", "Path#2")]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PART_COUNT])
def test_roles_are_of_events(role: Role) -> None:
    found = device(data_item("a", role.name), data_item("b", role.name, "CONDITION"), sample("c", role.name))
    assert roles_of(found, role) == ["a"]


def test_only_single_values_have_a_role() -> None:
    found = device(data_item("a", "PART_COUNT", representation="DATA_SET"), data_item("b", "EXECUTION", units="X_3D"))
    assert not [item for item in found.items if item.role]


@pytest.mark.parametrize(
    ("sub_types", "chosen"),
    [
        (["ACTIVE", "", "MAIN"], "MAIN"),
        (["ACTIVE", "", "x:SUB"], ""),
        (["ACTIVE", "SCHEDULE"], "ACTIVE"),
        (["x:SUB", "SCHEDULE"], None),
    ],
)
def test_a_component_has_one_program(sub_types: list[str], chosen: str | None) -> None:
    items = [data_item(f"p{sub_type}", "PROGRAM", subType=sub_type) for sub_type in sub_types]
    found = device(*items, component("Path", "path", data_item("other", "PROGRAM", subType="ACTIVE")))
    assert roles_of(found, Role.PROGRAM) == ([] if chosen is None else [f"p{chosen}"]) + ["other"]


def test_of_equal_programs_the_first_is_chosen() -> None:
    assert roles_of(device(data_item("a", "PROGRAM"), data_item("b", "PROGRAM")), Role.PROGRAM) == ["a"]


def counters(*sub_types: str) -> DeviceModel:
    items = [data_item(f"n{sub_type}", "PART_COUNT", subType=sub_type) for sub_type in sub_types]
    return device(component("Path", "p", *items))


@pytest.mark.parametrize(
    ("sub_types", "parts"),
    [
        ([""], {"n": PartKind.ALL}),
        (["ALL"], {"nALL": PartKind.ALL}),
        (["GOOD", "BAD"], {"nGOOD": PartKind.GOOD, "nBAD": PartKind.BAD}),
        (["ALL", "GOOD", "BAD"], {"nALL": PartKind.ALL, "nGOOD": PartKind.GOOD, "nBAD": PartKind.BAD}),
        (["COMPLETE"], {"nCOMPLETE": PartKind.ALL}),
        (["COMPLETE", "BAD"], {"nCOMPLETE": PartKind.ALL, "nBAD": PartKind.BAD}),
        (["COMPLETE", ""], {"n": PartKind.ALL}),
        (["COMPLETE", "ALL"], {"nALL": PartKind.ALL}),
        (["COMPLETE", "GOOD"], {"nGOOD": PartKind.GOOD}),
        (["", "ALL"], {"nALL": PartKind.ALL}),
        (["TARGET", "REMAINING", "ABORTED", "FAILED", "x:TOTAL"], {}),
    ],
)
def test_what_part_counters_count(sub_types: list[str], parts: dict[str, PartKind]) -> None:
    found = counters(*sub_types)
    assert {item.id: item.parts for item in found.items if item.parts} == parts
    assert roles_of(found, Role.PART_COUNT) == [item.id for item in found.items if item.parts]
    assert bool(found.remarks) == (len(parts) < len(sub_types))


def test_part_counters_without_a_role_are_named() -> None:
    assert counters("TARGET", "ALL", "REMAINING").remarks == (
        "Part counters that count no pieces made are not used: nTARGET (TARGET), nREMAINING (REMAINING).",
    )
    assert counters("COMPLETE", "ALL").remarks == (
        "Part counters of pieces that others count already are not used: nCOMPLETE.",
    )


def test_a_component_counts_each_kind_once() -> None:
    found = device(data_item("a", "PART_COUNT"), data_item("b", "PART_COUNT", "SAMPLE"))
    assert roles_of(found, Role.PART_COUNT) == ["a"]
    assert "Part counters beside another of the same kind are not used: b." in found.remarks


def test_a_part_counter_may_be_a_sample() -> None:
    assert roles_of(device(data_item("a", "PART_COUNT", "SAMPLE")), Role.PART_COUNT) == ["a"]


@pytest.mark.parametrize(
    ("attributes", "each"),
    [
        ({}, False),
        ({"discrete": "false"}, False),
        ({"discrete": "true"}, True),
        ({"representation": "DISCRETE"}, True),
        ({"representation": "VALUE"}, False),
    ],
)
def test_discrete_counters_count_each_piece(attributes: dict[str, str], each: bool) -> None:
    found = device(data_item("a", "PART_COUNT", **attributes), data_item("b", "EXECUTION", **attributes))
    assert (the(found, "a").counts_each, the(found, "b").counts_each) == (each, False)


@pytest.mark.parametrize("tag", ["Auxiliaries", "Interfaces", "Resources"])
@pytest.mark.parametrize("type", ["EXECUTION", "CONTROLLER_MODE", "FUNCTIONAL_MODE", "PROGRAM", "PART_COUNT"])
def test_peripherals_have_no_roles_beside_the_machine(tag: str, type: str) -> None:
    feeder = component(tag, "x", component("Loader", "l", data_item("l_1", type)))
    found = device(feeder, component("Controller", "c", data_item("c_1", type)))
    assert roles_of(found, Role[type]) == ["c_1"]
    assert found.remarks == (f"{type} of peripherals is not used, since the machine has its own: l_1.",)
    assert roles_of(device(feeder), Role[type]) == ["l_1"]


def test_availability_is_the_devices_own_if_it_has_one() -> None:
    feeder = component("Auxiliaries", "x", data_item("x_avail", "AVAILABILITY"))
    path = component("Path", "p", data_item("p_avail", "AVAILABILITY"))
    assert roles_of(device(data_item("avail", "AVAILABILITY"), feeder, path), Role.AVAILABILITY) == ["avail"]
    assert roles_of(device(feeder, path), Role.AVAILABILITY) == ["x_avail", "p_avail"]
