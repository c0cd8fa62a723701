"""Units of MTConnect: conversions against published factors, and the endings of metrics' names."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.limits import METRIC
from services.gateway.mtconnect.units import Conversion, conversion, suffix

STANDARD_UNITS = {
    "AMPERE": "a",
    "CELSIUS": "c",
    "COUNT": "count",
    "COUNT/SECOND": "count_per_s",
    "COULOMB": "coulomb",
    "CUBIC_METER": "m3",
    "CUBIC_MILLIMETER": "mm3",
    "CUBIC_MILLIMETER/SECOND": "mm3_per_s",
    "CUBIC_MILLIMETER/SECOND^2": "mm3_per_s2",
    "DECIBEL": "db",
    "DEGREE": "deg",
    "DEGREE/SECOND": "deg_per_s",
    "DEGREE/SECOND^2": "deg_per_s2",
    "GRAM": "g",
    "GRAM/CUBIC_METER": "g_per_m3",
    "HERTZ": "hz",
    "JOULE": "j",
    "KILOGRAM": "kg",
    "LITER": "l",
    "LITER/SECOND": "l_per_s",
    "METER/SECOND^2": "m_per_s2",
    "MICRO_RADIAN": "urad",
    "MILLIGRAM": "mg",
    "MILLIGRAM/CUBIC_MILLIMETER": "mg_per_mm3",
    "MILLIGRAM/LITER": "mg_per_l",
    "MILLILITER": "ml",
    "MILLIMETER": "mm",
    "MILLIMETER/REVOLUTION": "mm_per_rev",
    "MILLIMETER/SECOND": "mm_per_s",
    "MILLIMETER/SECOND^2": "mm_per_s2",
    "NEWTON": "n",
    "NEWTON_METER": "n_m",
    "OHM": "ohm",
    "OHM_METER": "ohm_m",
    "PASCAL": "pa",
    "PASCAL/SECOND": "pa_per_s",
    "PASCAL_SECOND": "pa_s",
    "PERCENT": "pct",
    "PH": "ph",
    "REVOLUTION/MINUTE": "rpm",
    "REVOLUTION/SECOND": "rev_per_s",
    "REVOLUTION/SECOND^2": "rev_per_s2",
    "SECOND": "s",
    "SIEMENS/METER": "siemens_per_m",
    "SQUARE_MILLIMETER": "mm2",
    "VOLT": "v",
    "VOLT_AMPERE": "va",
    "VOLT_AMPERE_REACTIVE": "var",
    "WATT": "w",
    "WATT_SECOND": "ws",
}


@pytest.mark.parametrize(("units", "ending"), STANDARD_UNITS.items())
def test_every_unit_of_the_standard_has_an_ending(units: str, ending: str) -> None:
    assert suffix(units) == ending
    assert conversion(units, units) is None


def test_endings_tell_units_apart_and_fit_a_metric() -> None:
    assert len(set(STANDARD_UNITS.values())) == len(STANDARD_UNITS)
    assert all(METRIC.fullmatch(ending) for ending in STANDARD_UNITS.values())
    assert suffix("MEGAPASCAL") != suffix("MILLIPASCAL")
    assert suffix("MILLIMETER_3D") == "mm"


@pytest.mark.parametrize(
    "units",
    ["", "OTHER", "x:RPM", "UNIT_VECTOR_3D", "METER/SECOND/SECOND", "METER_", "KILO", "SQUARE_", "METER^0", "/SECOND"],
)
def test_other_units_have_none(units: str) -> None:
    assert suffix(units) is None
    assert conversion(units, units) is None
    with pytest.raises(ValueError):
        conversion(units, "METER")
    with pytest.raises(ValueError):
        conversion("METER", units)


@pytest.mark.parametrize(
    ("native", "units", "value", "expected"),
    [
        ("INCH", "MILLIMETER", 1, 25.4),
        ("INCH_3D", "MILLIMETER_3D", 1, 25.4),
        ("MICROMETER", "MILLIMETER", 1, 0.001),
        ("FOOT/MINUTE", "MILLIMETER/SECOND", 1, 5.08),
        ("MILLIMETER/MINUTE", "MILLIMETER/SECOND", 60, 1),
        ("FOOT/MINUTE^2", "MILLIMETER/SECOND^2", 3600, 304.8),
        ("GRAVITATIONAL_ACCELERATION", "MILLIMETER/SECOND^2", 1, 9806.65),
        ("INCH/REVOLUTION", "MILLIMETER/REVOLUTION", 1, 25.4),
        ("DEGREE/MINUTE", "DEGREE/SECOND", 60, 1),
        ("RADIAN/SECOND", "DEGREE/SECOND", math.pi, 180),
        ("RADIAN_3D", "DEGREE_3D", math.pi, 180),
        ("DEGREE", "MICRO_RADIAN", 180, math.pi * 1e6),
        ("REVOLUTION/SECOND", "REVOLUTION/MINUTE", 1, 60),
        ("REVOLUTION/MINUTE", "REVOLUTION/SECOND", 60, 1),
        ("REVOLUTION/MINUTE", "DEGREE/SECOND", 1, 6),
        ("FAHRENHEIT", "CELSIUS", 212, 100),
        ("FAHRENHEIT", "CELSIUS", -40, -40),
        ("KELVIN", "CELSIUS", 273.15, 0),
        ("RANKINE", "CELSIUS", 491.67, 0),
        ("FAHRENHEIT/MINUTE", "CELSIUS/SECOND", 108, 1),
        ("POUND", "KILOGRAM", 1, 0.45359237),
        ("POUND", "NEWTON", 1, 4.4482216152605),
        ("POUND/INCH^2", "PASCAL", 1, 6894.757293168),
        ("POUND/SQUARE_INCH", "KILOPASCAL", 1, 6.894757293168),
        ("KILOGRAM/SQUARE_CENTIMETER", "PASCAL", 1, 98066.5),
        ("INCH_POUND", "NEWTON_METER", 1, 0.1129848290276167),
        ("BAR", "PASCAL", 1, 100000),
        ("TORR", "PASCAL", 760, 101325),
        ("MICROTORR", "PASCAL", 760e6, 101325),
        ("MILLIMETER_MERCURY", "PASCAL", 1, 133.322387415),
        ("PASCAL/MINUTE", "PASCAL/SECOND", 60, 1),
        ("CENTIPOISE", "PASCAL_SECOND", 1000, 1),
        ("LITER/MINUTE", "LITER/SECOND", 60, 1),
        ("GALLON/MINUTE", "LITER/SECOND", 60, 3.785411784),
        ("PINT", "MILLILITER", 1, 473.176473),
        ("CUBIC_FOOT", "CUBIC_METER", 1, 0.028316846592),
        ("CUBIC_FOOT/MINUTE", "CUBIC_MILLIMETER/SECOND", 60, 28316846.592),
        ("SQUARE_INCH", "SQUARE_MILLIMETER", 1, 645.16),
        ("INCH^2", "SQUARE_MILLIMETER", 1, 645.16),
        ("HOUR", "SECOND", 1, 3600),
        ("KILOWATT", "WATT", 1, 1000),
        ("KILOWATT_HOUR", "WATT_SECOND", 1, 3.6e6),
        ("KILOWATT_HOUR", "JOULE", 1, 3.6e6),
        ("AMPERE_HOUR", "COULOMB", 1, 3600),
        ("KILOVOLT_AMPERE_REACTIVE", "VOLT_AMPERE_REACTIVE", 1, 1000),
        ("MILLIGRAM/CUBIC_MILLIMETER", "GRAM/CUBIC_METER", 1, 1e6),
    ],
)
def test_conversions(native: str, units: str, value: float, expected: float) -> None:
    found = conversion(native, units)
    assert found is not None
    assert found.apply(value) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(
    ("native", "units"),
    [
        ("SECOND", "METER"),
        ("SECOND", "METER/SECOND"),
        ("PERCENT", "COUNT"),
        ("INCH", "MILLIMETER_3D"),
        ("INCH_3D", "MILLIMETER"),
        ("WATT", "WATT_SECOND"),
        ("VOLT_AMPERE_REACTIVE", "WATT"),
        ("_".join(["GIGAMETER^9"] * 9), "_".join(["METER^9"] * 9)),
    ],
)
def test_different_dimensions_cannot_be_converted(native: str, units: str) -> None:
    with pytest.raises(ValueError):
        conversion(native, units)


def test_units_of_the_same_size_need_no_conversion() -> None:
    assert conversion("WATT_SECOND", "JOULE") is None
    assert conversion("x:SHOTS", "x:SHOTS") is None


def test_the_native_scale_divides_before_the_conversion() -> None:
    assert conversion("PERCENT", "PERCENT", 10) == Conversion(0.1)
    assert conversion("PERCENT", "PERCENT", 1) is None
    fahrenheit = conversion("FAHRENHEIT", "CELSIUS", 10)
    assert fahrenheit is not None
    assert fahrenheit.apply(2120) == pytest.approx(100)


@pytest.mark.parametrize("scale", [0.0, math.nan, math.inf, 5e-324])
def test_an_impossible_scale_is_rejected(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        conversion("INCH", "MILLIMETER", scale)


WORDS = st.sampled_from(["SQUARE", "CUBIC", "KILO", "MICRO", "METER", "SECOND", "GRAM", "KILOWATT", "3D", "INCH^2", ""])
UNITS = st.lists(st.lists(WORDS, max_size=4).map("_".join), max_size=3).map("/".join) | st.text(max_size=20)


@given(UNITS, UNITS, st.none() | st.floats())
def test_nothing_but_value_errors(native: str, units: str, scale: float | None) -> None:
    ending = suffix(units)
    assert ending is None or METRIC.fullmatch(ending[:63])
    try:
        found = conversion(native, units, scale)
    except ValueError:
        return
    assert found is None or (math.isfinite(found.factor) and found.factor != 0 and math.isfinite(found.offset))
