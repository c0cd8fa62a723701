"""Units as MTConnect writes them: conversions between them, and their short forms in the names of metrics. Pure.

A unit is a product of symbols joined by ``_``, divided by at most one other product: ``MILLIMETER/SECOND^2``,
``CUBIC_FOOT/HOUR``, ``KILOWATT_HOUR``. A symbol may have a prefix (``KILO``, ``MICRO_``) and a power (``SQUARE_``,
``CUBIC_``, ``^n``). ``_3D`` at the end means three numbers instead of one.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Conversion:
    """A linear conversion: ``value * factor + offset``."""

    factor: float
    offset: float = 0.0

    def apply(self, value: float) -> float:
        """Convert a value."""
        return value * self.factor + self.offset


@dataclass(frozen=True, slots=True)
class Symbol:
    """A unit without prefix and power.

    Attributes:
        short: its form in the names of metrics.
        factor: how many of its base units it is: SI units, degrees for angles, and itself for the rest.
        dimensions: the exponents of its base units.
        offset: its zero in kelvin, if it is a temperature.
    """

    short: str
    factor: Fraction
    dimensions: Mapping[str, int]
    offset: Fraction = Fraction(0)


def _unit(short: str, factor: str | Fraction, *, offset: str | Fraction = "0", **dimensions: int) -> Symbol:
    return Symbol(short, Fraction(factor), dimensions, Fraction(offset))


# All factors are exact by definition, except the radian's. Metrics are in lower case: c and s are taken, for one.
SYMBOLS = {
    "METER": _unit("m", "1", m=1),
    "INCH": _unit("in", "0.0254", m=1),
    "FOOT": _unit("ft", "0.3048", m=1),
    "LITER": _unit("l", "0.001", m=3),
    "GALLON": _unit("gal", "0.003785411784", m=3),
    "PINT": _unit("pt", "0.000473176473", m=3),
    "GRAM": _unit("g", "0.001", kg=1),
    "POUND": _unit("lb", "0.45359237", kg=1),
    "OUNCE": _unit("oz", "0.028349523125", kg=1),
    "SECOND": _unit("s", "1", s=1),
    "MINUTE": _unit("min", "60", s=1),
    "HOUR": _unit("h", "3600", s=1),
    "DAY": _unit("d", "86400", s=1),
    "HERTZ": _unit("hz", "1", s=-1),
    "DEGREE": _unit("deg", "1", deg=1),
    "RADIAN": _unit("rad", Fraction(180 / math.pi), deg=1),
    "REVOLUTION": _unit("rev", "360", deg=1),
    "NEWTON": _unit("n", "1", kg=1, m=1, s=-2),
    "PASCAL": _unit("pa", "1", kg=1, m=-1, s=-2),
    "BAR": _unit("bar", "100000", kg=1, m=-1, s=-2),
    "TORR": _unit("torr", Fraction(101325, 760), kg=1, m=-1, s=-2),
    "MILLIMETER_MERCURY": _unit("mmhg", "133.322387415", kg=1, m=-1, s=-2),
    "POISE": _unit("poise", "0.1", kg=1, m=-1, s=-1),
    "GRAVITATIONAL_ACCELERATION": _unit("gravity", "9.80665", m=1, s=-2),
    "JOULE": _unit("j", "1", kg=1, m=2, s=-2),
    "WATT": _unit("w", "1", kg=1, m=2, s=-3),
    "AMPERE": _unit("a", "1", a=1),
    "COULOMB": _unit("coulomb", "1", a=1, s=1),
    "VOLT": _unit("v", "1", kg=1, m=2, s=-3, a=-1),
    "OHM": _unit("ohm", "1", kg=1, m=2, s=-3, a=-2),
    "SIEMENS": _unit("siemens", "1", kg=-1, m=-2, s=3, a=2),
    "REACTIVE": _unit("reactive", "1", reactive=1),
    "KELVIN": _unit("k", "1", k=1),
    "CELSIUS": _unit("c", "1", offset="273.15", k=1),
    "FAHRENHEIT": _unit("f", Fraction(5, 9), offset=Fraction("459.67") * 5 / 9, k=1),
    "RANKINE": _unit("rankine", Fraction(5, 9), k=1),
    "COUNT": _unit("count", "1", count=1),
    "PERCENT": _unit("pct", "1", percent=1),
    "DECIBEL": _unit("db", "1", decibel=1),
    "PH": _unit("ph", "1", ph=1),
}
SYMBOLS["CELCIUS"] = SYMBOLS["CELSIUS"]  # A common mistake in device models.

# MEGA and MILLI would be the same letter.
PREFIXES = {
    "NANO": ("n", Fraction(1, 10**9)),
    "MICRO": ("u", Fraction(1, 10**6)),
    "MILLI": ("m", Fraction(1, 1000)),
    "CENTI": ("c", Fraction(1, 100)),
    "DECI": ("d", Fraction(1, 10)),
    "HECTO": ("h", Fraction(100)),
    "KILO": ("k", Fraction(1000)),
    "MEGA": ("mega", Fraction(10**6)),
    "GIGA": ("giga", Fraction(10**9)),
}
POWERS = {"SQUARE": 2, "CUBIC": 3}

USUAL = {
    "REVOLUTION/MINUTE": "rpm",
    "WATT_SECOND": "ws",
    "WATT_HOUR": "wh",
    "KILOWATT_HOUR": "kwh",
    "AMPERE_HOUR": "ah",
    "VOLT_AMPERE": "va",
    "VOLT_AMPERE_REACTIVE": "var",
    "KILOVOLT_AMPERE": "kva",
    "KILOVOLT_AMPERE_REACTIVE": "kvar",
}
"""The short forms that people write, where they are not what the symbols give."""

STANDARD_GRAVITY = SYMBOLS["GRAVITATIONAL_ACCELERATION"]
VECTOR = "_3D"
POWER = re.compile(r"(.+)\^([1-9])")


@dataclass(frozen=True, slots=True)
class Part:
    """A symbol with its prefix and power, which is negative below the ``/``."""

    prefix: str
    symbol: str
    power: int

    @property
    def factor(self) -> Fraction:
        """How many of its base units it is."""
        scale = PREFIXES[self.prefix][1] if self.prefix else 1
        return (scale * SYMBOLS[self.symbol].factor) ** self.power

    @property
    def short(self) -> str:
        """Its form in the names of metrics."""
        letter = PREFIXES[self.prefix][0] if self.prefix else ""
        return f"{letter}{SYMBOLS[self.symbol].short}{abs(self.power) if abs(self.power) > 1 else ''}"


def conversion(native_units: str, units: str, native_scale: float | None = None) -> Conversion | None:
    """Return the conversion of a machine's values to the units of a device model.

    Masses count as weights where a force is required, since ``POUND/INCH^2`` is a pressure.

    Args:
        native_units: as MTConnect writes them, as in ``FOOT/MINUTE``.
        units: the units to convert to.
        native_scale: what values are divided by first, as the schema of MTConnect defines ``nativeScale``.

    Returns:
        None if the values are the same.

    Raises:
        ValueError: units are unknown or of different dimensions, or the scale is not a number other than 0.
    """
    factor, offset = (1.0, 0.0) if native_units == units else _convert(native_units, units)
    if native_scale is not None:
        if not math.isfinite(native_scale) or native_scale == 0:
            raise ValueError(f"{native_scale} is not a scale")
        factor /= native_scale
    if not math.isfinite(factor) or factor == 0:
        raise ValueError(f"{native_scale} is not a scale")
    return None if (factor, offset) == (1.0, 0.0) else Conversion(factor, offset)


def suffix(units: str) -> str | None:
    """Return the ending of the names of metrics in a unit, as ``mm_per_s``; None if the unit is unknown.

    ``_3D`` is ignored: the ending is that of each of the three numbers.
    """
    units = units.removesuffix(VECTOR)
    try:
        parts = _parse(units)
    except ValueError:
        return None
    if units in USUAL:
        return USUAL[units]
    above = "_".join(part.short for part in parts if part.power > 0)
    below = "_".join(part.short for part in parts if part.power < 0)
    return f"{above}_per_{below}" if below else above


def _convert(native_units: str, units: str) -> tuple[float, float]:
    if native_units.endswith(VECTOR) != units.endswith(VECTOR):
        raise ValueError(f"{native_units} and {units} have different numbers of values")
    native, target = _parse(native_units.removesuffix(VECTOR)), _parse(units.removesuffix(VECTOR))
    factor = math.prod((part.factor for part in native), start=Fraction(1))
    factor /= math.prod((part.factor for part in target), start=Fraction(1))
    dimensions = _dimensions(native)
    if dimensions != _dimensions(target):
        weight = Counter(dimensions)
        weight.update(STANDARD_GRAVITY.dimensions)
        if dimensions.get("kg") != 1 or _nonzero(weight) != _dimensions(target):
            raise ValueError(f"{native_units} cannot be converted to {units}")
        factor *= STANDARD_GRAVITY.factor
    offset = (_zero(native) - _zero(target)) / math.prod((part.factor for part in target), start=Fraction(1))
    try:
        return float(factor), float(offset)
    except OverflowError:
        raise ValueError(f"{native_units} is too large a unit") from None


def _zero(parts: tuple[Part, ...]) -> Fraction:
    """Return the zero of a temperature in kelvin. Products, as in ``CELSIUS/SECOND``, contain differences: 0."""
    return SYMBOLS[parts[0].symbol].offset if len(parts) == 1 and parts[0].power == 1 else Fraction(0)


def _dimensions(parts: tuple[Part, ...]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update({base: power * part.power for base, power in SYMBOLS[part.symbol].dimensions.items()})
    return _nonzero(total)


def _nonzero(dimensions: Mapping[str, int]) -> dict[str, int]:
    return {base: power for base, power in dimensions.items() if power}


def _parse(units: str) -> tuple[Part, ...]:
    """Split a unit into its parts.

    Raises:
        ValueError: it is unknown.
    """
    above, slash, below = units.partition("/")
    parts = _parse_product(above, 1)
    return parts + _parse_product(below, -1) if slash else parts


def _parse_product(product: str, sign: int) -> tuple[Part, ...]:
    if product in SYMBOLS:
        return (Part("", product, sign),)
    parts, prefix, power = [], "", 1
    for word in product.split("_"):
        if word in PREFIXES and not prefix:
            prefix = word
        elif word in POWERS and power == 1 and not prefix:
            power = POWERS[word]
        else:
            parts.append(_parse_symbol(word, prefix, power, sign))
            prefix, power = "", 1
    if prefix or power != 1:
        raise ValueError(f"{product} ends within a unit")
    return tuple(parts)


def _parse_symbol(word: str, prefix: str, power: int, sign: int) -> Part:
    if raised := POWER.fullmatch(word):
        word, power = raised[1], power * int(raised[2])
    if word in SYMBOLS:
        return Part(prefix, word, power * sign)
    for name in PREFIXES:
        if not prefix and word.removeprefix(name) in SYMBOLS:
            return Part(name, word.removeprefix(name), power * sign)
    raise ValueError(f"{word} is not a known unit")
