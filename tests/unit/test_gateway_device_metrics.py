"""The measurements of device models: their names, their units, and what a real factory's model gives."""

from xml.sax.saxutils import quoteattr

from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.limits import METRIC
from services.gateway.mtconnect.devices import choose_device, parse_devices
from services.gateway.mtconnect.model import PartKind, Role
from services.gateway.mtconnect.units import Conversion
from tests.device_models import component, data_item, device, metrics_of, sample
from tests.recorded_logs import JEJO_REAL_DATA_DIR, needs_real_data


def test_metrics_are_named_after_component_type_subtype_statistic_and_unit() -> None:
    found = device(
        component("Linear", "x", sample("a", "LOAD"), sample("b", "LOAD", statistic="MAXIMUM"), name="X"),
        component("Path", "p", sample("c", "PATH_FEEDRATE", "MILLIMETER/SECOND", subType="ACTUAL")),
        component("ToolMagazine", "t", sample("d", "x:WEAR_RATE", subType="x:TIP")),
        component("Linear", "u", sample("e", "POSITION", "MILLIMETER"), name="1"),
        component("Linear", "v", sample("f", "POSITION", "MILLIMETER"), name="주축"),
        data_item("g", "PATH_FEEDRATE_OVERRIDE", units="PERCENT", subType="OVERRIDE"),
        data_item("h", "TOOL_NUMBER"),
        data_item("i", "PART_COUNT", units="COUNT", subType="TARGET"),
    )
    assert metrics_of(found) == {
        "a": "x_load_pct",
        "b": "x_load_maximum_pct",
        "c": "path_feedrate_actual_mm_per_s",
        "d": "tool_magazine_wear_rate_tip_pct",
        "e": "linear_1_position_mm",
        "f": "linear_position_mm",
        "g": "m1_path_feedrate_override_pct",
        "i": "m1_part_count_target_count",
    }


def test_what_has_a_role_is_no_measurement() -> None:
    assert not metrics_of(device(sample("a", "PART_COUNT", "COUNT")))


def test_metrics_of_equal_names_are_named_after_their_keys() -> None:
    found = device(
        component("Rotary", "c1", sample("c1_1", "LOAD", name="Sload"), name="C"),
        component("Rotary", "c2", sample("c2-2", "LOAD"), sample("2", "LOAD"), name="C"),
        component("Rotary", "c3", sample("c3_1", "LOAD", name="X_load"), name="C"),
        component("Linear", "x", sample("x_1", "LOAD"), name="X"),
        component("Linear", "c4", sample("c4_1", "LOAD", name="x.load", statistic="MINIMUM"), name="Y"),
        component("Linear", "c5", sample("c5_1", "LOAD", name="x-load", statistic="MINIMUM"), name="Y"),
    )
    assert metrics_of(found) == {
        "c1_1": "sload_pct",
        "c2-2": "c2_2_pct",
        "2": "item_2_pct",
        "c3_1": "x_load_2_pct",
        "x_1": "x_load_pct",
        "c4_1": "x_load_minimum_pct",
        "c5_1": "x_load_minimum_2_pct",
    }


def test_long_names_are_shortened_before_the_unit() -> None:
    found = device(
        component("Path", "p", sample("a", "T" * 70), sample("b", "T" * 80, name="b" * 90), sample("c", "U" * 70))
    )
    assert metrics_of(found) == {"a": "a_pct", "b": "b" * 59 + "_pct", "c": "path_" + "u" * 54 + "_pct"}


def test_metrics_are_converted_to_the_units_in_their_names() -> None:
    found = device(
        component("A", "a", sample("f", "TEMPERATURE", "CELSIUS", nativeUnits="FAHRENHEIT")),
        component("B", "b", sample("p", "LOAD", nativeScale="10")),
        component("C", "c", sample("q", "LOAD", nativeUnits="PERCENT", nativeScale="1")),
    )
    assert [item.conversion for item in found.items] == [Conversion(5 / 9, -160 / 9), Conversion(0.1), None]


def test_measurements_that_cannot_be_used_are_listed_by_reason() -> None:
    found = device(
        *(sample(f"n{number}", "LOAD", "") for number in range(7)),
        sample("u", "LOAD", "x:SHOTS"),
        data_item("v", "LOAD", units="x:SHOTS"),
        sample("c", "LOAD", "PERCENT", nativeUnits="VOLT"),
        sample("s", "LOAD", "PERCENT", nativeScale="ten"),
    )
    assert not metrics_of(found)
    assert found.remarks == (
        "Measurements without units are not used: n0, n1, n2, n3, n4 and 2 more.",
        "Measurements with unknown units are not used: u (X:SHOTS), v (X:SHOTS).",
        "Measurements without a known conversion are not used: c (VOLT to PERCENT), s (PERCENT to PERCENT).",
    )


@needs_real_data
def test_the_models_of_nists_factory() -> None:
    found = parse_devices((JEJO_REAL_DATA_DIR / "nist_mtconnect/Devices.xml").read_bytes())
    assert [device.name for device in found] == [
        "GFAgie01", "Mazak01", "Mazak03", "Hurco01", "Hurco02", "Hurco03", "Hurco04", "Hurco06",
    ]  # fmt: skip
    assert {device.version for device in found} == {(1, 3)}
    mazak = choose_device(found, None, "Mazak01", [])
    assert {key: item.role for key, item in mazak.by_key.items() if item.role and key != item.id} == {
        "avail": Role.AVAILABILITY,
        "estop": Role.EMERGENCY_STOP,
        "program": Role.PROGRAM,
        "PartCountAct": Role.PART_COUNT,
        "execution": Role.EXECUTION,
        "mode": Role.CONTROLLER_MODE,
    }
    assert mazak.by_key["PartCountAct"].parts is PartKind.ALL
    assert not mazak.by_key["PartCountAct"].counts_each
    assert mazak.by_key["Fact"].metric == "path_feedrate_actual_mm_per_s"
    assert mazak.by_key["Fact"].conversion == Conversion(5.08)
    assert [mazak.by_key[key].metric for key in ("Xload", "Sload", "S2load")] == [
        "x_load_pct",
        "sload_pct",
        "s2load_pct",
    ]
    assert mazak.remarks == (
        "Measurements without units are not used: Mazak01-path_17, Mazak01-path_18, Mazak01-path_19.",
    )
    hurco = choose_device(found, "Hurco02", "x", [])
    assert {key: item.role for key, item in hurco.by_key.items() if item.role and key != item.id} == {
        "avail": Role.AVAILABILITY,
        "EStop_State": Role.EMERGENCY_STOP,
        "Program_Name_Running": Role.PROGRAM,
        "Part_Count": Role.PART_COUNT,
        "Program_Status": Role.EXECUTION,
    }
    assert hurco.by_key["spindle_speed"].metric == "c_rotary_velocity_actual_rpm"


WORDS = st.sampled_from(["", "LOAD", "X", "x:load", "주축", "1", "EXECUTION", "PART_COUNT", "PROGRAM", "GOOD", "ALL"])
ITEMS = st.fixed_dictionaries(
    {"id": WORDS | st.text("aB1-_", max_size=3), "type": WORDS, "category": st.sampled_from(["SAMPLE", "EVENT"])},
    optional={
        "name": WORDS | st.text("ab_", max_size=70),
        "subType": WORDS,
        "units": st.sampled_from(["PERCENT", "MILLIMETER/SECOND", "MILLIMETER_3D", "?"]),
        "nativeScale": st.sampled_from(["10", "0", "nan", "1e999", "x"]),
        "statistic": WORDS,
    },
)
TREES = st.recursive(
    st.lists(ITEMS.map(lambda item: f"<DataItem {' '.join(f'{k}={quoteattr(v)}' for k, v in item.items())}/>")),
    lambda inner: st.lists(
        st.builds(
            lambda tag, id, parts: component(tag, id, *parts),
            st.sampled_from(["Path", "Auxiliaries", "_1"]),
            st.sampled_from(["a", "b", ""]),
            inner,
        ),
        max_size=4,
    ),
)


@given(TREES)
def test_keys_and_metrics_are_unique_and_valid(tree: list[str]) -> None:
    found = device(*tree)
    keys = [key for item in found.items for key in item.keys]
    names = [item.metric for item in found.items if item.metric is not None]
    assert len(keys) == len(set(keys)) == len(found.by_key)
    assert len(names) == len(set(names))
    assert all(METRIC.fullmatch(name) and name.endswith(("_pct", "_mm_per_s")) for name in names)
    assert all((item.role is Role.PART_COUNT) == (item.parts is not None) for item in found.items)
    assert not any(item.role and item.metric for item in found.items)
